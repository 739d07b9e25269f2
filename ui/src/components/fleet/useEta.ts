import { useEffect, useRef, useState } from "react";
import type { RunHeader } from "@/api/types";
import { roughly } from "@/lib/format";
import { serverNow, useNow } from "@/lib/now";
import { activeSeconds } from "@/live/fold";
import { etaSeconds } from "@/live/progress";

const REFRESH_MS = 5000;

/** The seconds left: estimated every 5 seconds, counted down in between; null while there is no honest number. */
export function useEta(run: RunHeader): number | null {
  const now = useNow();
  const latest = useRef(run);
  latest.current = run;
  const [guess, setGuess] = useState<{ seconds: number; at: number } | null>(null);
  const isRunning = run.status === "running" && !run.pending && !run.stuck;
  const hasGuess = guess !== null;

  useEffect(() => {
    if (!isRunning) {
      setGuess(null);
      return;
    }
    const estimate = () => {
      const at = serverNow();
      const seconds = etaSeconds(latest.current.progress, activeSeconds(latest.current, at));
      setGuess(seconds === null ? null : { seconds, at });
    };
    estimate();
    const timer = setInterval(estimate, hasGuess ? REFRESH_MS : 1000);
    return () => clearInterval(timer);
  }, [isRunning, hasGuess]);

  return guess && isRunning ? Math.max(0, guess.seconds - (now - guess.at) / 1000) : null;
}

/** "~5m remaining", "estimating…", or why there is no estimate. */
export function etaWords(run: RunHeader, eta: number | null, unit: string): string {
  if (eta !== null) return `${roughly(eta)} remaining`;
  if (run.status !== "running" || run.pending) return "";
  if (run.progress.total === null) return "total unknown";
  if (run.progress.done === 0) return run.stuck ? `no estimate: no ${unit} has finished yet` : "estimating…";
  return run.stuck ? "" : "estimating…";
}
