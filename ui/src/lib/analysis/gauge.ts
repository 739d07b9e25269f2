/** Where a value stands on a ring that fills towards its limit. */

import type { Limits } from "@/lib/analysis/verdict";

/** Beyond the last limit, so that one sees how far a fail is off. */
const BEYOND = 1.5;

export interface Gauge {
  /** How much of the ring is filled, from 0 to 1. */
  readonly filled: number;
  /** Where the limits stand on the ring, from 0 to 1, without doubles. */
  readonly marks: readonly number[];
}

/**
 * The ring of a low goal ends at 1.5 × its last limit; that of a high one ends
 * at its limit or at 1, whichever is more. Without a limit it ends at 1, and is empty beyond a share.
 */
export function gauge({ goal, limit, warn }: Limits, value: number | null): Gauge {
  const bounds = [limit, warn].filter((bound) => bound !== null);
  const last = Math.max(0, ...bounds);
  const end = goal === "max" ? Math.max(1, last) : last > 0 ? last * BEYOND : 1;
  const place = (at: number) => Math.min(1, Math.max(0, at / end));
  return {
    filled: value === null ? 0 : place(value),
    marks: [...new Set(bounds.map(place))].filter((mark) => mark > 0 && mark < 1),
  };
}

/** "limit ≤ 0.10", "0.10–0.15 warns", in the words of the metric's format. */
export function limitWords({ goal, limit, warn }: Limits, write: (value: number) => string): string | null {
  if (goal === null || limit === null) return null;
  const sign = goal === "min" ? "≤" : "≥";
  const words = `limit ${sign} ${write(limit)}`;
  return warn === null ? words : `${words}, warning to ${write(warn)}`;
}
