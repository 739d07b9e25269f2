/** Saved files in the order of their steps, with the metric that tells which one is best. */

import type { Artifact, Goal } from "@/api/types";
import { isBetter } from "@/lib/analysis/bestSoFar";
import type { Point } from "@/lib/analysis/series";

export interface Checkpoint {
  readonly file: Artifact;
  /** Without the prefix. */
  readonly name: string;
  readonly step: number | null;
  readonly value: number | null;
  readonly isBest: boolean;
  /** The newest one of all. */
  readonly isLast: boolean;
}

/** Newest first. The best one is the earliest of those with the best value. */
export function checkpoints(
  files: readonly Artifact[],
  prefix: string,
  points: readonly Point[],
  goal: Goal,
): readonly Checkpoint[] {
  const found = files
    .filter((file) => file.name.startsWith(prefix))
    .map((file) => {
      const step = stepOf(file.name);
      return { file, name: file.name.slice(prefix.length), step, value: valueAt(points, step) };
    })
    .sort((a, b) => (b.step ?? -1) - (a.step ?? -1) || b.file.time.localeCompare(a.file.time));
  let best: (typeof found)[number] | null = null;
  for (const one of found.toReversed()) {
    if (one.value === null) continue;
    if (best === null || isBetter(goal, one.value, best.value as number)) best = one;
  }
  return found.map((one, index) => ({ ...one, isBest: one === best, isLast: index === 0 }));
}

/** 500 of `checkpoints/step-500.zip`. */
export function stepOf(name: string): number | null {
  const match = /step[-_]?(\d+)/i.exec(name);
  return match ? Number(match[1]) : null;
}

/** The value at a step; the last one before it where that step has none. */
export function valueAt(points: readonly Point[], step: number | null): number | null {
  if (step === null) return null;
  const before = points.findLast(([at, value]) => at <= step && value !== null);
  return before?.[1] ?? null;
}
