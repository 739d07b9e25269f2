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

const TONES: readonly (readonly [RegExp, Verdict])[] = [
  [/^(kept|keep|accepted|ok|pass|passed|good|valid)\b/i, "pass"],
  [/^(rejected|dropped|duplicate|warn|warning|skipped|poor)\b/i, "warn"],
  [/^(failed|fail|error|invalid|bad)\b/i, "fail"],
];

/** How a short word of a job sounds, such as `kept` or `rejected: too short`; "none" for words of its own. */
export function toneOf(word: string): Verdict | "none" {
  return TONES.find(([pattern]) => pattern.test(word))?.[1] ?? "none";
}
