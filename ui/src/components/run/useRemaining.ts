import { useRef } from "react";
import { isTerminal, type Kind, type RunHeader } from "@/api/types";
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
export function useRemaining(run: RunHeader, kind: Kind, elapsed: number): Remaining {
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
      hint: isKnowable ? `Known after 3 ${kind.units} and 5 seconds of running.` : "The total is unknown.",
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

/** "~5m remaining", "estimating…", or why there is no estimate; nothing where none is due. */
export function remainingWords(run: RunHeader, { text, seconds }: Remaining, unit: string): string {
  if (run.status !== "running" || run.pending) return "";
  if (seconds !== null) return `${text} remaining`;
  if (run.progress.total === null)
    return run.progress.done === 0 && run.kind === "script" ? "" : "total unknown";
  if (!run.stuck) return text;
  return run.progress.done === 0 ? `no estimate: no ${unit} has finished yet` : "";
}
