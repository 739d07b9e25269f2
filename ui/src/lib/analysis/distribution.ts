/** How a numeric field is spread: a histogram with the median and the 95th percentile. */

import { compareNames } from "@/lib/analysis/heatmap";
import { isFinished, nameOf, numberOf, type Row } from "@/lib/analysis/row";

export interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export interface Spread {
  /** Value of the `by` field; null for all items together. */
  readonly name: string | null;
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly bins: readonly Bin[];
}

export interface Distribution {
  readonly groups: readonly Spread[];
  readonly low: number;
  readonly high: number;
}

export const BINS = 24;

/** Quantile `q` of sorted values, linear between neighbours; NaN of nothing. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * Spread of `field` per value of `by`.
 *
 * All groups share one axis so that they can be compared. It ends at the 99th
 * percentile and the last bin takes what is beyond: one stray value must not
 * squeeze the rest into one bar.
 */
export function distribution(items: readonly Row[], field: string, by: string | null): Distribution | null {
  const groups = new Map<string | null, number[]>();
  const all: number[] = [];
  for (const item of items) {
    const value = isFinished(item) ? numberOf(item, field) : null;
    if (value === null) continue;
    const name = by === null ? null : (nameOf(item, by) ?? "–");
    const values = groups.get(name);
    if (values) values.push(value);
    else groups.set(name, [value]);
    all.push(value);
  }
  if (all.length === 0) return null;
  all.sort(ascending);
  const low = Math.min(0, all[0] ?? 0);
  const high = quantile(all, 0.99) || 1;
  const spreads = [...groups].map(([name, values]) => spread(name, values.sort(ascending), low, high));
  return { groups: spreads.sort((a, b) => compareNames(a.name ?? "", b.name ?? "")), low, high };
}

function spread(name: string | null, sorted: readonly number[], low: number, high: number): Spread {
  return {
    name,
    count: sorted.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: sorted[sorted.length - 1] ?? Number.NaN,
    bins: histogram(sorted, low, high),
  };
}

export function histogram(values: readonly number[], low: number, high: number, bins = BINS): readonly Bin[] {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, index) => ({ low: low + index * width, high: low + (index + 1) * width, count }));
}

function ascending(a: number, b: number): number {
  return a - b;
}
