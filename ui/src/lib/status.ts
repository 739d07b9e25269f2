/** Where a run stands, in words: what was asked and who asked come before the plain word. */

import type { Kind, RunHeader } from "@/api/types";
import { briefly, clock, counted, untilWords } from "@/lib/format";

/** Seconds until the next attempt may begin; 0 without a back-off. */
export function waitLeft(run: RunHeader, now: number): number {
  if (run.status !== "queued" || run.wait_seconds <= 0 || run.last_event_at === null) return 0;
  return Math.max(0, run.wait_seconds - (now - new Date(run.last_event_at).getTime()) / 1000);
}

/**
 * The status, where more can be said than its plain word.
 *
 * @param stuckSeconds How long a stuck run has not moved; null while unknown.
 * @returns Undefined where the plain word says it all.
 */
export function statusWords(
  run: RunHeader,
  kind: Pick<Kind, "unit">,
  now: number,
  stuckSeconds: number | null = null,
): string | undefined {
  if (run.pending === "pause")
    return run.status === "paused" ? "Freeing memory…" : `Pausing after current ${kind.unit}…`;
  if (run.pending) return undefined;
  if (run.stuck) return stuckSeconds === null ? undefined : `Stuck ${briefly(stuckSeconds)}`;
  if (run.status === "paused") return pausedWords(run, now);
  if (run.status === "cancelled")
    return run.ended_by ? said(`Cancelled by ${run.ended_by}`, run.reason) : undefined;
  if (run.status === "queued" && run.attempt > 0) return againWords(run, now);
  return undefined;
}

/** "Paused by ana: budget · memory freed · resumes at 16:40". */
function pausedWords(run: RunHeader, now: number): string {
  const who = run.paused_by ? `Paused by ${run.paused_by}` : "Paused";
  const isFreed = run.strength === "release" && run.attempt > 0;
  const head = run.reason ? said(who, run.reason) : who + (isFreed ? ", memory freed" : "");
  const freed = isFreed && run.reason ? ["memory freed"] : [];
  return [head, ...freed, ...(run.until ? [untilWords(run.until, now)] : [])].join(" · ");
}

/** The next attempt: now, or after a back-off that says why. */
function againWords(run: RunHeader, now: number): string {
  const left = waitLeft(run, now);
  if (left <= 0) return "Resuming…";
  return `Resumes in ${clock(Math.ceil(left))}${run.notice ? ` after a crash (${run.notice})` : ""}`;
}

const said = (what: string, reason: string | null): string => (reason ? `${what}: ${reason}` : what);

/** What a cancel waits for; null unless processes outlive it. */
export function survivorWords(run: RunHeader): string | null {
  if (run.survivors === null || run.pending !== "cancel") return null;
  return `${undyingWords(run.survivors)}. ${stayWords(run.survivors)}`;
}

/** "2 processes do not die". */
export const undyingWords = (survivors: number): string =>
  `${counted(survivors, "process does", "processes do")} not die`;

export const stayWords = (survivors: number): string =>
  `The run stays “Cancelling…” until ${survivors === 1 ? "it is" : "they are"} gone.`;

/** "no test, metric or phase. The process is alive and idle (0 % of a core); the model call may hang." */
export function stuckSentence(cause: string | null, kind: Pick<Kind, "unit">): string {
  const silence = `no ${kind.unit}, metric or phase.`;
  if (!cause) return silence;
  const isIdle = /\bidle\b/.test(cause);
  return `${silence} ${capital(cause)}${isIdle ? "; a call to a model may hang" : ""}.`;
}

/** Why nobody takes a queued run, as a sentence. */
export const waitingSentence = (cause: string): string => `${capital(cause.replace(/^waiting\b/, "waits"))}.`;

/** "2 tests were in hand". */
export const inHandWords = (keys: readonly string[], unit: string, units: string): string =>
  `${counted(keys.length, unit, units)} ${keys.length === 1 ? "was" : "were"} in hand`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A label within a sentence: "Kept" is kept, "KS mean" stays, "Score, low is good" says only what it is. */
export const within = (label: string): string =>
  (/^.[A-Z]/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1)).replace(
    /, (low|high) is good$/,
    "",
  );
