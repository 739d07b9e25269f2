/**
 * Shares of true items and what is known about them.
 *
 * The interval is Wilson's, not the textbook `p ± z·√(p(1−p)/n)`: that one says
 * ±0 for 5 of 5 and leaves [0, 1] near the ends, which is where small benchmarks live.
 */

const Z_95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Counts of one group. Errors are part of `count` and never of `hits`. */
export interface Share {
  readonly count: number;
  readonly hits: number;
  readonly errors: number;
}

export const NO_SHARE: Share = { count: 0, hits: 0, errors: 0 };

/** Below this many items a share is drawn paler. */
export const FEW_ITEMS = 20;

/** The 95 % Wilson interval of `hits` out of `count`; null without any item. */
export function wilson(hits: number, count: number): Interval | null {
  if (count <= 0) return null;
  const share = hits / count;
  const z2 = Z_95 * Z_95;
  const scale = 1 + z2 / count;
  const centre = (share + z2 / (2 * count)) / scale;
  const half = (Z_95 / scale) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count * count));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Hits out of count, from 0 to 1; null without any item. */
export function shareOf({ hits, count }: Share): number | null {
  return count > 0 ? hits / count : null;
}

/** Half the width of the interval in whole percentage points, for "±9". */
export function halfWidthPoints({ hits, count }: Share): number | null {
  const interval = wilson(hits, count);
  return interval && Math.round(((interval.high - interval.low) / 2) * 100);
}

export function addShares(a: Share, b: Share): Share {
  return { count: a.count + b.count, hits: a.hits + b.hits, errors: a.errors + b.errors };
}
