/** The unit strip: one cell per item up to 400, then each cell is a range of them. */

import type { Row } from "@/lib/analysis/row";

export const MAX_CELLS = 400;

export type CellState = "ok" | "error" | "running" | "waiting";

export interface Cell {
  /** First and last item of the cell, counted from 1 in the order of finishing. */
  readonly from: number;
  readonly to: number;
  readonly state: CellState;
  readonly errors: number;
  /** Key of the first error, else of the first item; null where nothing is done yet. */
  readonly key: string | null;
}

/**
 * Cells in the order of finishing: done ones, those in hand, those to do.
 *
 * @param finished Finished items, oldest first.
 */
export function strip(finished: readonly Row[], inHand: number, total: number | null): readonly Cell[] {
  const length = Math.max(total ?? 0, finished.length + inHand);
  const size = Math.max(1, Math.ceil(length / MAX_CELLS));
  const cells: Cell[] = [];
  for (let start = 0; start < length; start += size) {
    const end = Math.min(length, start + size);
    const items = finished.slice(start, end);
    const errors = items.filter((item) => item.state === "failed");
    const key = (errors[0] ?? items[0])?.key ?? null;
    const state = stateOf(items.length, errors.length, start < finished.length + inHand);
    cells.push({ from: start + 1, to: end, state, errors: errors.length, key });
  }
  return cells;
}

function stateOf(items: number, errors: number, isBegun: boolean): CellState {
  if (errors > 0) return "error";
  if (items > 0) return "ok";
  return isBegun ? "running" : "waiting";
}
