/** The listed runs as a table for a spreadsheet. */

import type { RunHeader } from "@/api/types";

const COLUMNS: readonly [string, (run: RunHeader) => unknown][] = [
  ["id", (run) => run.id],
  ["number", (run) => run.number],
  ["name", (run) => run.name],
  ["kind", (run) => run.kind],
  ["status", (run) => run.status],
  ["owner", (run) => run.owner],
  ["tags", (run) => run.tags.join(" ")],
  ["done", (run) => run.progress.done],
  ["failed", (run) => run.progress.failed],
  ["total", (run) => run.progress.total],
  ["created_at", (run) => run.created_at],
  ["started_at", (run) => run.started_at],
  ["ended_at", (run) => run.ended_at],
  ["active_seconds", (run) => run.active_seconds],
  ["failure", (run) => run.failure?.message],
];

export function toCsv(runs: readonly RunHeader[]): string {
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort();
  const head = [...COLUMNS.map(([name]) => name), ...metrics];
  const rows = runs.map((run) => [
    ...COLUMNS.map(([, read]) => read(run)),
    ...metrics.map((name) => run.metrics[name]),
  ]);
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

/** A spreadsheet runs what begins with = + - @, unless a quote stands before it. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  const tame = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}

export function saveCsv(runs: readonly RunHeader[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv(runs)], { type: "text/csv" }));
  link.download = "runs.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
