/**
 * The reader's place in a live table is sacred.
 *
 * Newest-first rows would push down whatever is being read. So as soon as the
 * reader has scrolled, sorted, opened or selected a row, the table *holds*: it
 * shows the rows it had, patched in place, and only counts the new ones.
 */

import type { Row } from "@/lib/analysis/row";

/** What the reader does that makes the table stand still. */
export interface Reading {
  readonly isScrolled: boolean;
  readonly isRowOpen: boolean;
  readonly isRowFocused: boolean;
  readonly isSorted: boolean;
  readonly isFrozen: boolean;
}

/** The rows a held table knew, each with the place it had. */
export interface Held {
  readonly newest: number;
  readonly places: ReadonlyMap<string, number>;
}

export function isHolding(reading: Reading): boolean {
  return Object.values(reading).some(Boolean);
}

/** Remember the rows as they are now. */
export function hold(rows: readonly Row[]): Held {
  return {
    newest: rows[0]?.seq ?? 0,
    places: new Map(rows.map((row) => [row.key, row.seq])),
  };
}

export interface HeldRows<R> {
  readonly rows: readonly R[];
  readonly waiting: number;
}

/**
 * Rows to show (newest first) and the number of those that wait.
 *
 * A row that was known stays in its place even when it was repeated since, and
 * older rows that load late are let in: they go at the far end and move nothing.
 */
export function heldRows<R extends Row>(rows: readonly R[], held: Held | null): HeldRows<R> {
  if (held === null || (rows[0]?.seq ?? 0) <= held.newest) return { rows, waiting: 0 };
  const known = rows.filter((row) => row.seq <= held.newest || held.places.has(row.key));
  const wasRepeated = known.some((row) => row.seq > held.newest);
  if (wasRepeated) known.sort((a, b) => placeOf(b, held) - placeOf(a, held));
  return { rows: known, waiting: rows.length - known.length };
}

function placeOf(row: Row, held: Held): number {
  return held.places.get(row.key) ?? row.seq;
}
