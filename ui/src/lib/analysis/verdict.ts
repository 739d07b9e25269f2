/** Whether a metric passes its declared limits. A word and a shape; the colour comes third. */

export type Verdict = "pass" | "warn" | "fail";

export const VERDICTS = {
  pass: { text: "✓ pass", className: "text-pass" },
  warn: { text: "▲ warn", className: "text-warn" },
  fail: { text: "✕ fail", className: "text-fail" },
} satisfies Record<Verdict, { text: string; className: string }>;

export interface Limits {
  readonly goal: "max" | "min" | null;
  readonly limit: number | null;
  readonly warn: number | null;
}

/** Null for a metric without a limit or without a direction. */
export function verdictOf({ goal, limit, warn }: Limits, value: number): Verdict | null {
  if (goal === null || limit === null) return null;
  const isWithin = (bound: number) => (goal === "max" ? value >= bound : value <= bound);
  if (isWithin(limit)) return "pass";
  return warn !== null && isWithin(warn) ? "warn" : "fail";
}
