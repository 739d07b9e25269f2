/** Items as lines through one axis per field, and which of them a reader has chosen. */

import type { Goal } from "@/api/types";
import { compareNames } from "@/lib/analysis/heatmap";
import { nameOf, numberOf, type Row } from "@/lib/analysis/row";
import { padded } from "@/lib/analysis/scale";

/** One axis. A place is from 0 (bottom) to 1 (top). */
export interface FieldAxis {
  readonly field: string;
  /** The prefix of the pattern that found it, such as `param_`. */
  readonly prefix: string;
  /** The values from the bottom to the top; null for numbers. */
  readonly names: readonly string[] | null;
  readonly low: number;
  readonly high: number;
  placeOf(item: Row): number | null;
}

export interface Lines {
  readonly axes: readonly FieldAxis[];
  readonly lines: readonly ItemLine[];
  /** Items that bring no value. */
  readonly left: number;
}

export interface ItemLine {
  readonly item: Row;
  readonly value: number;
  /** How good its value is among all, from 0 (worst) to 1 (best). */
  readonly rank: number;
  readonly places: readonly (number | null)[];
}

/** Per field the part of its axis that lets lines through. */
export type Brushes = Readonly<Record<string, readonly [low: number, high: number]>>;

export function parallel(items: readonly Row[], fields: readonly string[], value: string, goal: Goal): Lines {
  const scored = items.flatMap((item) => {
    const score = item.state === "done" ? numberOf(item, value) : null;
    return score === null ? [] : [{ item, value: score }];
  });
  const finished = items.filter((item) => item.state !== "in_flight");
  const axes = fieldsOf(finished, fields).map((found) =>
    axisOf(
      scored.map(({ item }) => item),
      found,
    ),
  );
  const order = [...scored].sort((a, b) => (goal === "min" ? b.value - a.value : a.value - b.value));
  const top = Math.max(1, order.length - 1);
  const lines = order.map(({ item, value: score }, index) => ({
    item,
    value: score,
    rank: order.length === 1 ? 1 : index / top,
    places: axes.map((axis) => axis.placeOf(item)),
  }));
  return { axes, lines, left: finished.length - scored.length };
}

interface Found {
  field: string;
  prefix: string;
}

/** The fields of a declaration, with `param_*` replaced by what the items have. */
export function fieldsOf(items: readonly Row[], patterns: readonly string[]): readonly Found[] {
  const found = new Map<string, Found>();
  for (const pattern of patterns) {
    if (!pattern.endsWith("*")) {
      found.set(pattern, { field: pattern, prefix: "" });
      continue;
    }
    const prefix = pattern.slice(0, -1);
    for (const item of items)
      for (const field of Object.keys(item.data))
        if (field.startsWith(prefix) && !patterns.includes(field)) found.set(field, { field, prefix });
  }
  return [...found.values()];
}

function axisOf(items: readonly Row[], { field, prefix }: Found): FieldAxis {
  const names = [...new Set(items.map((item) => nameOf(item, field)))].filter((name) => name !== null);
  const isNumeric = items.every((item) => nameOf(item, field) === null || numberOf(item, field) !== null);
  if (isNumeric) {
    const numbers = items.map((item) => numberOf(item, field)).filter((number) => number !== null);
    const [low, high] = padded(numbers, 0);
    const placeOf = (item: Row) => {
      const number = numberOf(item, field);
      return number === null ? null : (number - low) / (high - low || 1);
    };
    return { field, prefix, names: null, low, high, placeOf };
  }
  names.sort(compareNames).reverse();
  const place = new Map(names.map((name, index) => [name, (index + 0.5) / names.length]));
  const placeOf = (item: Row) => place.get(nameOf(item, field) ?? "") ?? null;
  return { field, prefix, names, low: 0, high: names.length, placeOf };
}

/** Whether a line goes through all brushes and belongs to the best `share` of all. */
export function isChosenLine(line: ItemLine, axes: readonly FieldAxis[], brushes: Brushes, share: number) {
  if (share < 1 && line.rank < 1 - share) return false;
  return axes.every((axis, index) => {
    const brush = brushes[axis.field];
    const place = line.places[index] ?? null;
    return brush === undefined || (place !== null && place >= brush[0] - 1e-9 && place <= brush[1] + 1e-9);
  });
}

/** A brush moved by keys: as a window over the whole axis at first. */
export function nudged(
  brush: readonly [number, number] | undefined,
  by: number,
  edge: "both" | "top",
): readonly [number, number] {
  const [low, high] = brush ?? [0, 1];
  if (edge === "top") return [low, Math.min(1, Math.max(low + 0.02, high + by))];
  if (brush === undefined) return by > 0 ? [0.5, 1] : [0, 0.5];
  const room = Math.min(Math.max(by, -low), 1 - high);
  return [low + room, high + room];
}
