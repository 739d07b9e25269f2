/** Two distributions per column, as an item carries them. What does not fit is left out. */

import { isFinished, type Row } from "@/lib/analysis/row";

export interface Compared {
  readonly column: string;
  /** Largest distance of the two distributions, from 0 (alike) to 1; null where unknown. */
  readonly ks: number | null;
  readonly labels: readonly string[];
  /** Shares, one per label. */
  readonly real: readonly number[];
  readonly synthetic: readonly number[];
  readonly facts: readonly {
    readonly name: string;
    readonly real: number;
    readonly synthetic: number;
    readonly isShare: boolean;
  }[];
}

/** The items that carry a comparison, newest first. */
export function comparable(items: readonly Row[], field: string): readonly Row[] {
  return items.filter((item) => isFinished(item) && Array.isArray(item.data[field]));
}

/** The columns of an item, the one that differs most first. */
export function compared(item: Row, field: string): readonly Compared[] {
  const list = item.data[field];
  if (!Array.isArray(list)) return [];
  return list
    .map(read)
    .filter((one) => one !== null)
    .sort((a, b) => (b.ks ?? -1) - (a.ks ?? -1));
}

function read(raw: unknown): Compared | null {
  if (typeof raw !== "object" || raw === null) return null;
  const given = raw as Record<string, unknown>;
  const labels = Array.isArray(given.labels) ? given.labels.map(String) : [];
  const [real, synthetic] = [numbers(given.real), numbers(given.synthetic)];
  const isWhole = labels.length > 0 && real.length === labels.length && synthetic.length === labels.length;
  if (typeof given.column !== "string" || !isWhole) return null;
  const facts = [
    { name: "mean", real: given.real_mean, synthetic: given.synthetic_mean, isShare: false },
    { name: "missing", real: given.real_missing, synthetic: given.synthetic_missing, isShare: true },
  ].flatMap(({ name, real: a, synthetic: b, isShare }) =>
    isNumber(a) && isNumber(b) ? [{ name, real: a, synthetic: b, isShare }] : [],
  );
  return {
    column: given.column,
    ks: isNumber(given.ks) ? given.ks : null,
    labels,
    real,
    synthetic,
    facts,
  };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const numbers = (list: unknown): number[] =>
  Array.isArray(list) ? list.map((one) => (isNumber(one) ? one : 0)) : [];
