/** What the server's kinds say of themselves, with words for a kind that is not known (any more). */

import { useQuery } from "@tanstack/react-query";
import { kindsQuery } from "@/api/queries";
import type { Format, Kind, Metric, RunHeader } from "@/api/types";
import { formatted } from "@/lib/format";
import { within } from "@/lib/status";

const unknownKind = (name: string): Kind => ({
  name,
  title: name,
  prefix: name,
  summary: "",
  unit: "item",
  units: "items",
  phases: [],
  columns: [],
  metrics: [],
  panels: [],
  headline: null,
  live_params: [],
  stuck_seconds: 180,
  can_release: false,
  params_schema: {},
  examples: [],
  extra: null,
});

/** A lookup by name that always answers. */
export function useKinds(): { kinds: readonly Kind[]; kindOf: (name: string) => Kind } {
  const { data } = useQuery(kindsQuery);
  const kinds = data ?? [];
  return { kinds, kindOf: (name) => kindIn(kinds, name) };
}

/** The kind of this name; one that the server no longer knows has plain words, and its runs can be read. */
export const kindIn = (kinds: readonly Kind[], name: string): Kind =>
  kinds.find((kind) => kind.name === name) ?? unknownKind(name);

export interface Figure {
  name: string;
  label: string;
  format: Format;
  text: string;
  value: number | null;
}

/** A metric of a run as a reader sees it; null while the run has none. */
export function figureOf(run: RunHeader, metric: Metric | undefined): Figure | null {
  const value = metric && run.metrics[metric.name];
  if (!metric || value === null || value === undefined) return null;
  const { name, label, format } = metric;
  return {
    name,
    label,
    format,
    text: formatted(value, format),
    value: typeof value === "number" ? value : null,
  };
}

/** The metric that a list shows as the result. */
export const headlineOf = (run: RunHeader, kind: Kind): Figure | null =>
  figureOf(
    run,
    kind.metrics.find(({ name }) => name === kind.headline),
  );

/** What the run has used up so far: its tokens and its money, which is the first such metric; others foretell or part it. */
export function spendOf(run: RunHeader, kind: Kind): Figure[] {
  const money = kind.metrics.find(({ format }) => format === "money");
  return kind.metrics
    .filter((metric) => metric === money || metric.name === "tokens" || metric.name.endsWith("_tokens"))
    .map((metric) => figureOf(run, metric))
    .filter((figure) => figure !== null);
}

/** The error's short cause, or the result. */
export function resultOf(run: RunHeader, kind: Kind): string {
  if (run.status === "failed") return run.failure?.message ?? "failed";
  if (run.stuck) return run.stuck_cause ?? "does not move";
  const headline = headlineOf(run, kind);
  return headline ? `${within(headline.label)} ${headline.text}` : "";
}
