/** Which rows the results table shows, in which order. */

import { compareNames } from "@/lib/analysis/heatmap";
import { isTrue, nameOf, type Row } from "@/lib/analysis/row";

/** `field` is a column's name or one of the built-in ones below. */
export interface Sort {
  readonly field: string;
  readonly descending: boolean;
}

export const BUILT_IN = { number: "#", state: "state", seconds: "seconds" } as const;

/** One condition: the field has this text. */
export interface Condition {
  readonly field: string;
  readonly value: string;
}

export interface Arrangement {
  /** Null: newest first. */
  readonly sort: Sort | null;
  readonly conditions: readonly Condition[];
  readonly text: string;
}

export const EVERYTHING: Arrangement = { sort: null, conditions: [], text: "" };

/** Rows that fit, in order. `rows` come newest first and keep that order among equals. */
export function arrange<R extends Row>(
  rows: readonly R[],
  { sort, conditions, text }: Arrangement,
): readonly R[] {
  const needle = text.trim().toLowerCase();
  const isPlain = conditions.length === 0 && needle === "";
  const kept = isPlain
    ? rows
    : rows.filter((row) => conditions.every((one) => fits(row, one)) && holdsText(row, needle));
  return sort === null ? kept : sorted(kept, sort);
}

/** An item in error is not true, so it is among the misses of every boolean field. */
export function fits(row: Row, { field, value }: Condition): boolean {
  if (field === BUILT_IN.state) return row.state === value;
  if (value === "true") return isTrue(row, field);
  if (value === "false" && row.state === "failed") return true;
  return (nameOf(row, field) ?? "") === value;
}

/** Whether the key, label, error or any field holds the (lower-case) text. */
export function holdsText(row: Row, needle: string): boolean {
  if (needle === "") return true;
  const spoken = [row.key, row.label ?? "", row.error ?? ""];
  if (spoken.some((part) => part.toLowerCase().includes(needle))) return true;
  return Object.values(row.data).some((value) => asText(value).toLowerCase().includes(needle));
}

/** Values of a field with their counts, the most frequent first. */
export function valuesOf(rows: readonly Row[], field: string): readonly { value: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = nameOf(row, field);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || compareNames(a.value, b.value));
}

function sorted<R extends Row>(rows: readonly R[], { field, descending }: Sort): readonly R[] {
  if (field === BUILT_IN.number) return descending ? rows : [...rows].reverse();
  const keyed = rows.map((row) => ({ row, value: valueFor(row, field) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    return sign * compareValues(a.value, b.value);
  });
  return keyed.map(({ row }) => row);
}

/** Null for an empty value: those come last in both directions. */
function valueFor(row: Row, field: string): string | number | null {
  if (field === BUILT_IN.state) return row.state === "failed" ? 0 : 1;
  const value = field === BUILT_IN.seconds ? row.seconds : row.data[field];
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return nameOf(row, field);
}

function compareValues(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareNames(String(a), String(b));
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
