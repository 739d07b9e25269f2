/** Reads records that somebody pasted or uploaded: JSONL, a JSON list, or CSV with a heading. */

import type { Json, JsonObject } from "@/api/types";

export type Records =
  | { records: JsonObject[]; format: "JSONL" | "JSON" | "CSV" }
  | { problem: string; line: number };

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The records of `text`, or the first line that cannot be read. */
export function parseRecords(text: string): Records {
  const trimmed = text.trim();
  if (trimmed === "") return { records: [], format: "JSONL" };
  if (trimmed.startsWith("[")) return readJson(trimmed);
  return trimmed.startsWith("{") ? readLines(text) : readCsv(text);
}

function readJson(text: string): Records {
  let list: Json;
  try {
    list = JSON.parse(text);
  } catch (error) {
    return { problem: (error as Error).message, line: 1 };
  }
  if (!Array.isArray(list)) return { problem: "a list of objects is needed", line: 1 };
  const bad = list.findIndex((record) => !isObject(record));
  if (bad >= 0) return { problem: `record ${bad + 1} is not an object`, line: 1 };
  return { records: list as JsonObject[], format: "JSON" };
}

function readLines(text: string): Records {
  const records: JsonObject[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const record: Json = JSON.parse(line);
      if (!isObject(record)) return { problem: 'not an object such as {"id": 1}', line: index + 1 };
      records.push(record);
    } catch (error) {
      return { problem: (error as Error).message, line: index + 1 };
    }
  }
  return { records, format: "JSONL" };
}

function readCsv(text: string): Records {
  const rows = csvRows(text.replace(/^\ufeff/, ""));
  const [head, ...body] = rows;
  if (!head || head.cells.length < 2 || body.length === 0)
    return { problem: "neither JSON nor CSV with a heading and at least two columns", line: head?.line ?? 1 };
  const records: JsonObject[] = [];
  for (const { cells, line } of body) {
    if (cells.length !== head.cells.length)
      return { problem: `${cells.length} cells where the heading has ${head.cells.length}`, line };
    records.push(Object.fromEntries(head.cells.map((name, index) => [name.trim(), cells[index] ?? ""])));
  }
  return { records, format: "CSV" };
}

interface Row {
  cells: string[];
  line: number;
}

/** RFC 4180: quotes, doubled quotes, line breaks within quotes. */
function csvRows(text: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  const pattern = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/y;
  while (pattern.lastIndex <= text.length) {
    const match = pattern.exec(text);
    if (!match) break;
    const [whole, raw = "", end] = match;
    cells.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    if (cells.some((cell) => cell !== "")) rows.push({ cells, line: start });
    cells = [];
    start = line;
    if (end === "") break;
  }
  return rows;
}

/** What a run's params may weigh; `MAX_PARAMS` in `pilothouse/web/runs.py`. */
export const MOST_BYTES = 256 * 1024;
/** Left for the other params. */
const OTHERS_BYTES = 16 * 1024;

const encoder = new TextEncoder();

/** Bytes of a value as JSON. */
export const bytesOf = (value: Json): number => encoder.encode(JSON.stringify(value)).length;

/** How many records from the first on fit into a run's params. */
export function fitting(records: readonly JsonObject[]): number {
  let left = MOST_BYTES - OTHERS_BYTES - 2;
  const tooMany = records.findIndex((record) => {
    left -= bytesOf(record) + 1;
    return left < 0;
  });
  return tooMany < 0 ? records.length : tooMany;
}
