/** What the columns of some records hold, as far as it can be seen from their values. */

import type { Json, JsonObject } from "@/api/types";

export type ColumnType = "integer" | "number" | "boolean" | "date" | "category" | "text" | "mixed" | "empty";

export interface ColumnFacts {
  readonly name: string;
  readonly type: ColumnType;
  /** Cells without a value. */
  readonly missing: number;
  readonly distinct: number;
}

/** So few different texts are names of groups. */
const FEW_NAMES = 20;
const MISSING: ReadonlySet<string> = new Set(["", "na", "n/a", "nan", "null", "none"]);

/** All columns in the order in which they first appear. */
export function columnsOf(records: readonly JsonObject[]): readonly ColumnFacts[] {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  return [...names].map((name) => factsOf(name, records));
}

function factsOf(name: string, records: readonly JsonObject[]): ColumnFacts {
  const kinds = new Set<ColumnType>();
  const values = new Set<string>();
  let missing = 0;
  for (const record of records) {
    const value = record[name];
    if (isMissing(value)) {
      missing += 1;
      continue;
    }
    kinds.add(kindOf(value));
    values.add(typeof value === "string" ? value : JSON.stringify(value));
  }
  return { name, type: typeOf(kinds, values.size, records.length - missing), missing, distinct: values.size };
}

const isMissing = (value: Json | undefined): value is null | undefined =>
  value === undefined ||
  value === null ||
  (typeof value === "string" && MISSING.has(value.trim().toLowerCase()));

function kindOf(value: Json): ColumnType {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value !== "string") return "mixed";
  const text = value.trim();
  if (/^[+-]?\d{1,15}$/.test(text)) return "integer";
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return "number";
  if (/^(true|false|yes|no)$/i.test(text)) return "boolean";
  return /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/.test(text) ? "date" : "text";
}

function typeOf(kinds: ReadonlySet<ColumnType>, distinct: number, count: number): ColumnType {
  const [first, ...rest] = [...kinds].sort();
  if (first === undefined) return "empty";
  if (rest.length > 0)
    return kinds.size === 2 && first === "integer" && rest[0] === "number" ? "number" : "mixed";
  return first === "text" && distinct <= FEW_NAMES && distinct * 2 <= count ? "category" : first;
}
