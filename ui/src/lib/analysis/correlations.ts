/** How strongly columns hang together, real and synthetic, as an item carries it. */

import { isFinished, type Row } from "@/lib/analysis/row";

export interface Correlations {
  readonly columns: readonly string[];
  readonly real: readonly (readonly number[])[];
  readonly synthetic: readonly (readonly number[])[];
}

export interface Pair {
  readonly one: string;
  readonly other: string;
  readonly real: number;
  readonly synthetic: number;
  /** Synthetic less real. */
  readonly difference: number;
}

/** The newest ones; null where no item has any, or they do not fit their columns. */
export function correlationsOf(items: readonly Row[], field: string): Correlations | null {
  for (const item of items) {
    const found = isFinished(item) ? read(item.data[field]) : null;
    if (found) return found;
  }
  return null;
}

function read(raw: unknown): Correlations | null {
  if (typeof raw !== "object" || raw === null) return null;
  const { columns, real, synthetic } = raw as Record<string, unknown>;
  if (!Array.isArray(columns) || columns.length < 2) return null;
  const isSquare = (matrix: unknown): matrix is number[][] =>
    Array.isArray(matrix) &&
    matrix.length === columns.length &&
    matrix.every(
      (row) =>
        Array.isArray(row) && row.length === columns.length && row.every((one) => Number.isFinite(one)),
    );
  return isSquare(real) && isSquare(synthetic) ? { columns: columns.map(String), real, synthetic } : null;
}

/** One pair by its places. */
export function pairAt({ columns, real, synthetic }: Correlations, row: number, column: number): Pair {
  const [a, b] = [real[row]?.[column] ?? 0, synthetic[row]?.[column] ?? 0];
  return {
    one: columns[row] ?? "",
    other: columns[column] ?? "",
    real: a,
    synthetic: b,
    difference: b - a,
  };
}

/** Every pair once, the one that changed most first. */
export function pairsOf(found: Correlations): readonly Pair[] {
  const pairs = found.columns.flatMap((_, row) =>
    Array.from({ length: row }, (_, column) => pairAt(found, column, row)),
  );
  return pairs.sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference));
}

/** A correlation with its sign, such as `−0.32`. */
export const signed = (value: number): string => {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && text !== "0.00" ? `−${text}` : text;
};
