/** Seconds a run has been running, pauses not counted, on the page's clock. */

import type { RunHeader } from "@/api/types";
import { useNow } from "@/lib/now";

export function elapsedAt(run: RunHeader, now: number): number {
  const since = run.active_since ? Math.max(0, (now - new Date(run.active_since).getTime()) / 1000) : 0;
  return run.active_seconds + since;
}

export function useElapsed(run: RunHeader): number {
  return elapsedAt(run, useNow());
}
