/** Which items no other item beats in both of two numbers. */

import type { Goal } from "@/api/types";
import { isBetter } from "@/lib/analysis/bestSoFar";
import { numberOf, type Row } from "@/lib/analysis/row";

export interface Axis {
  readonly field: string;
  readonly goal: Goal;
}

export interface Spot {
  readonly key: string;
  readonly item: Row;
  readonly x: number;
  readonly y: number;
  /** False: it breaks a promised limit, and never stands on the front. */
  readonly isKept: boolean;
  /** False: it has no score, so its numbers are those of a part, and it never stands on the front. */
  readonly isWhole: boolean;
  readonly isFront: boolean;
}

export interface Pareto {
  readonly spots: readonly Spot[];
  /** The front from left to right. */
  readonly front: readonly Spot[];
}

/** Fields that say who may stand on the front; null: nobody is kept off. */
export interface Entry {
  readonly kept: string | null;
  readonly score: string | null;
}

/**
 * One sweep over the items in the order of `x`, the better first: an item is on
 * the front when its `y` is better than all before it. Twins are both on it.
 */
export function pareto(items: readonly Row[], x: Axis, y: Axis, { kept, score }: Entry): Pareto {
  const known = items.flatMap((item) => {
    const [left, up] = [numberOf(item, x.field), numberOf(item, y.field)];
    if (item.state !== "done" || left === null || up === null) return [];
    const isKept = kept === null || item.data[kept] !== false;
    const isWhole = score === null || numberOf(item, score) !== null;
    return [{ key: item.key, item, x: left, y: up, isKept, isWhole }];
  });
  const order = known
    .filter((spot) => spot.isKept && spot.isWhole)
    .sort((a, b) => compare(x.goal, a.x, b.x) || compare(y.goal, a.y, b.y));
  const onFront = new Set<string>();
  let last: { x: number; y: number } | null = null;
  for (const spot of order) {
    const isTwin = last !== null && spot.x === last.x && spot.y === last.y;
    if (last !== null && !isTwin && !isBetter(y.goal, spot.y, last.y)) continue;
    onFront.add(spot.key);
    last = spot;
  }
  const spots = known.map((spot) => ({ ...spot, isFront: onFront.has(spot.key) }));
  return { spots, front: spots.filter((spot) => spot.isFront).sort((a, b) => a.x - b.x) };
}

const compare = (goal: Goal, a: number, b: number): number => (goal === "min" ? a - b : b - a);
