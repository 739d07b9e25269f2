/** The number of a row: its place in the order of finishing, counted from 1. */

import type { Row } from "@/lib/analysis/row";

export interface Numbering {
  /** Finished items, newest first. */
  readonly items: readonly Row[];
  readonly isWhole: boolean;
  /** How many the run says are finished: what counts until all of them are loaded. */
  readonly done: number;
}

export function numberOfRow(row: Row, { items, isWhole, done }: Numbering): number {
  const total = isWhole ? items.length : Math.max(done, items.length);
  return total - placeOf(row.seq, items);
}

/** Index of a seq in descending items, by halving. */
function placeOf(seq: number, items: readonly Row[]): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.seq ?? 0) > seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
