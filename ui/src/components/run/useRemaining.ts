import { useRef } from "react";
import { isTerminal, type Run } from "@/api/types";
import { roughly } from "@/lib/format";
import { etaSeconds } from "@/live/progress";

const REFRESH_SECONDS = 5;

export interface Remaining {
  /** "~5m", "estimating…" or "–". */
  readonly text: string;
  readonly hint: string;
  /** Null while nothing is known. */
  readonly seconds: number | null;
}

/**
 * The honest rest: estimated every 5 s, counting down in between. It may rise,
 * and then says that it did.
 */
export function useRemaining(run: Run, elapsed: number): Remaining {
  const last = useRef<{ at: number; seconds: number; isSlower: boolean } | null>(null);
  if (isTerminal(run.status) || run.status === "paused" || run.status === "queued" || run.stuck) {
    return { text: "–", hint: "", seconds: null };
  }
  const before = last.current;
  if (before === null || elapsed - before.at >= REFRESH_SECONDS || elapsed < before.at) {
    const seconds = etaSeconds(run.progress, elapsed);
    const expected = before === null ? null : before.seconds - (elapsed - before.at);
    const isSlower =
      seconds !== null &&
      expected !== null &&
      expected > 0 &&
      seconds - expected > 60 &&
      seconds > expected * 1.2;
    last.current = seconds === null ? null : { at: elapsed, seconds, isSlower };
  }
  const estimate = last.current;
  if (estimate === null) {
    const isKnowable = run.progress.total !== null;
    return {
      text: isKnowable ? "estimating…" : "–",
      hint: isKnowable ? "After 3 and 5 seconds of running." : "The total is unknown.",
      seconds: null,
    };
  }
  const seconds = Math.max(0, estimate.seconds - (elapsed - estimate.at));
  const end = new Date(Date.now() + seconds * 1000).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
  });
  const hint = `Finishes about ${end}, judged from ${run.progress.done - run.progress.reused} finished.`;
  return { text: estimate.isSlower ? `${roughly(seconds)} (slower)` : roughly(seconds), hint, seconds };
}
