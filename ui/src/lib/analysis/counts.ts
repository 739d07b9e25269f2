/** How many items have each value of a field. */

import { compareNames } from "@/lib/analysis/heatmap";
import { isFinished, isTrue, nameOf, type Row } from "@/lib/analysis/row";

export interface Count {
  readonly name: string;
  readonly count: number;
  /** How many of them are true in `value`; all of them without one. */
  readonly hits: number;
}

/** The value with most items first. */
export function counts(items: readonly Row[], by: string, value: string | null): readonly Count[] {
  const found = new Map<string, { count: number; hits: number }>();
  for (const item of items) {
    const name = isFinished(item) ? nameOf(item, by) : null;
    if (name === null) continue;
    const sum = found.get(name) ?? { count: 0, hits: 0 };
    sum.count += 1;
    if (value === null || isTrue(item, value)) sum.hits += 1;
    found.set(name, sum);
  }
  return [...found]
    .map(([name, sum]) => ({ name, ...sum }))
    .sort((a, b) => b.count - a.count || compareNames(a.name, b.name));
}
