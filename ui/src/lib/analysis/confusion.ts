/**
 * Truth × prediction counts with precision, recall and F1 per class.
 *
 * A class's hits are decided by the item's own `correct` field, because a kind
 * may count some classes as equal. Items that ended in an error have no
 * prediction to judge: they are counted apart and leave the scores alone.
 */

import { compareNames } from "@/lib/analysis/heatmap";
import { isFinished, isTrue, nameOf, type Row } from "@/lib/analysis/row";

/** The column of answers that could not be read. Not a name that a class can have. */
export const NONE = "";

export interface ConfusionFields {
  readonly truth: string;
  readonly predicted: string;
  readonly correct: string;
}

export interface ClassScore {
  readonly name: string;
  readonly support: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
}

export interface Confusion {
  readonly truths: readonly string[];
  /** Predicted names, `NONE` last when an answer could not be read. */
  readonly predictions: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly hits: ReadonlyMap<string, number>;
  readonly scores: readonly ClassScore[];
  readonly macro: Omit<ClassScore, "name">;
  readonly parsed: number;
  readonly count: number;
  readonly errors: number;
}

export function pairKey(truth: string, predicted: string): string {
  return JSON.stringify([truth, predicted]);
}

export function confusion(items: readonly Row[], fields: ConfusionFields): Confusion {
  const counts = new Map<string, number>();
  const hits = new Map<string, number>();
  const truths = new Set<string>();
  const predicted = new Set<string>();
  let count = 0;
  let errors = 0;
  let parsed = 0;
  for (const item of items) {
    const truth = nameOf(item, fields.truth);
    if (!isFinished(item)) continue;
    if (item.state === "failed") errors += 1;
    if (item.state === "failed" || truth === null) continue;
    const answer = nameOf(item, fields.predicted) ?? NONE;
    const key = pairKey(truth, answer);
    truths.add(truth);
    predicted.add(answer);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (isTrue(item, fields.correct)) hits.set(key, (hits.get(key) ?? 0) + 1);
    count += 1;
    if (answer !== NONE) parsed += 1;
  }
  const classes = [...truths].sort(compareNames);
  const predictions = orderPredictions(classes, predicted);
  const scores = classes.map((name) => scoreOf(name, classes, predictions, counts, hits));
  return {
    truths: classes,
    predictions,
    counts,
    hits,
    scores,
    macro: macroOf(scores),
    parsed,
    count,
    errors,
  };
}

/** Harmonic mean; null when both sides are unknown, 0 when nothing was right. */
export function f1Of(precision: number | null, recall: number | null): number | null {
  if (precision === null && recall === null) return null;
  const [p, r] = [precision ?? 0, recall ?? 0];
  return p + r === 0 ? 0 : (2 * p * r) / (p + r);
}

/** The diagonal first, in the order of the truths; strangers next; unreadable answers last. */
function orderPredictions(truths: readonly string[], seen: ReadonlySet<string>): string[] {
  const strangers = [...seen].filter((name) => name !== NONE && !truths.includes(name)).sort(compareNames);
  return [...truths, ...strangers, ...(seen.has(NONE) ? [NONE] : [])];
}

function scoreOf(
  name: string,
  truths: readonly string[],
  predictions: readonly string[],
  counts: ReadonlyMap<string, number>,
  hits: ReadonlyMap<string, number>,
): ClassScore {
  const row = predictions.map((prediction) => pairKey(name, prediction));
  const column = truths.map((truth) => pairKey(truth, name));
  const support = sum(counts, row);
  const precision = ratio(sum(hits, column), sum(counts, column));
  const recall = ratio(sum(hits, row), support);
  return { name, support, precision, recall, f1: f1Of(precision, recall) };
}

/** Plain means over the classes that occur; a class never predicted has precision 0 there. */
function macroOf(scores: readonly ClassScore[]): Omit<ClassScore, "name"> {
  const mean = (pick: (score: ClassScore) => number | null): number | null =>
    scores.length === 0
      ? null
      : scores.reduce((total, score) => total + (pick(score) ?? 0), 0) / scores.length;
  return {
    support: scores.reduce((total, score) => total + score.support, 0),
    precision: mean((score) => score.precision),
    recall: mean((score) => score.recall),
    f1: mean((score) => score.f1),
  };
}

function sum(values: ReadonlyMap<string, number>, keys: readonly string[]): number {
  return keys.reduce((total, key) => total + (values.get(key) ?? 0), 0);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
