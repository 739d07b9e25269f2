/** Scores in the order of finishing, and the best one until then. */

import type { Goal } from "@/api/types";
import { isFinished, numberOf, type Row } from "@/lib/analysis/row";

export interface Trial {
  readonly key: string;
  /** Place in the order of finishing, counted from 1. */
  readonly number: number;
  /** Null: it failed, or brought no score. */
  readonly score: number | null;
}

export interface BestSoFar {
  readonly trials: readonly Trial[];
  /** The trials that were the best ones of their time, oldest first. */
  readonly records: readonly Scored[];
  readonly best: Scored | null;
  readonly failed: number;
}

export type Scored = Trial & { readonly score: number };

export const isBetter = (goal: Goal, a: number, b: number): boolean => (goal === "min" ? a < b : a > b);

/** @param items Newest first. Of equal scores the earlier one is the best. */
export function bestSoFar(items: readonly Row[], field: string, goal: Goal): BestSoFar {
  const finished = items.filter(isFinished).toReversed();
  const trials: Trial[] = finished.map((item, index) => ({
    key: item.key,
    number: index + 1,
    score: item.state === "failed" ? null : numberOf(item, field),
  }));
  const records: Scored[] = [];
  for (const trial of trials)
    if (isScored(trial) && isRecord(goal, trial, records.at(-1))) records.push(trial);
  return {
    trials,
    records,
    best: records.at(-1) ?? null,
    failed: trials.filter((trial) => trial.score === null).length,
  };
}

export const isScored = (trial: Trial): trial is Scored => trial.score !== null;

const isRecord = (goal: Goal, trial: Scored, last: Scored | undefined): boolean =>
  last === undefined || isBetter(goal, trial.score, last.score);
