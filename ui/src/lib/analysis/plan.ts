/** A plan, as an item carries it, and how each of its steps went. What does not fit is left out. */

import { isTrue, numberOf, type Row } from "@/lib/analysis/row";
import type { Verdict } from "@/lib/analysis/verdict";

export interface PlanFields {
  readonly value: string;
  readonly step: string;
  readonly verdict: string;
  readonly detail: string | null;
  readonly kept: string | null;
}

export type StepState = "done" | "failed" | "in_hand" | "to_come";

export interface PlanStep {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly state: StepState;
  readonly verdict: Verdict | null;
  readonly isKept: boolean;
  /** What came of it in words. */
  readonly detail: string | null;
}

export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly rationale: string | null;
  readonly by: string | null;
}

/**
 * The newest plan and how far it is; null where there is none.
 *
 * @param inHand The number of the step that the run says it is at; null where it says none.
 */
export function planOf(items: readonly Row[], fields: PlanFields, inHand: number | null): Plan | null {
  const given = items.map((item) => item.data[fields.value]).find(isObject);
  if (!given || !Array.isArray(given.steps)) return null;
  const known = outcomes(items, fields);
  const begun = Math.max(1, inHand ?? 0, ...known.keys());
  const steps = given.steps.filter(isObject).map((step, index): PlanStep => {
    const number = index + 1;
    const outcome = known.get(number) ?? NOTHING;
    return {
      number,
      title: wordOf(step.title) ?? wordOf(step.method) ?? `Step ${number}`,
      settings: isObject(step.settings) ? Object.entries(step.settings).flatMap(setting) : [],
      state: stateOf(outcome, number, begun),
      ...outcome,
    };
  });
  return steps.length === 0 ? null : { steps, rationale: wordOf(given.rationale), by: wordOf(given.by) };
}

type Outcome = Pick<PlanStep, "verdict" | "isKept" | "detail"> & { readonly isFailed: boolean };

const NOTHING: Outcome = { verdict: null, isKept: false, detail: null, isFailed: false };

/** What the items, newest first, tell of each step. */
function outcomes(items: readonly Row[], fields: PlanFields): Map<number, Outcome> {
  const found = new Map<number, Outcome>();
  for (const item of items) {
    const number = numberOf(item, fields.step);
    if (number !== null) found.set(number, { ...(found.get(number) ?? NOTHING), ...told(item, fields) });
  }
  return found;
}

/** What one item tells of its step. */
function told(item: Row, fields: PlanFields): Partial<Outcome> {
  const verdict = item.data[fields.verdict];
  const isKept = fields.kept !== null && isTrue(item, fields.kept) ? { isKept: true } : {};
  if (item.state === "failed")
    return { verdict: null, isFailed: true, detail: item.error ?? "no reason given" };
  if (verdict !== "pass" && verdict !== "warn" && verdict !== "fail") return isKept;
  return { verdict, detail: fields.detail === null ? null : wordOf(item.data[fields.detail]), ...isKept };
}

function stateOf({ verdict, isFailed }: Outcome, number: number, begun: number): StepState {
  if (isFailed) return "failed";
  if (verdict !== null || number < begun) return "done";
  return number === begun ? "in_hand" : "to_come";
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wordOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

const setting = ([name, value]: [string, unknown]): [string, string][] =>
  typeof value === "string" || typeof value === "number"
    ? [[name.replaceAll("_", " "), typeof value === "number" ? value.toLocaleString("en") : value]]
    : [];
