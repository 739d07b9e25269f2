/** What lists and pages say of where a run stands, kept fresh. */

import { useQuery } from "@tanstack/react-query";
import { stuckQuery } from "@/api/queries";
import type { Kind, RunHeader } from "@/api/types";
import { useNow } from "@/lib/now";
import { statusWords, waitingSentence } from "@/lib/status";

export interface StuckFacts {
  /** How long it has not moved. */
  seconds: number;
  limit: number;
  cause: string | null;
}

/** Of a stuck run, for how long and why; null for one that is not. */
export function useStuck(run: RunHeader, kind: Kind): StuckFacts | null {
  const now = useNow();
  const { data, dataUpdatedAt } = useQuery({ ...stuckQuery, enabled: run.stuck });
  if (!run.stuck) return null;
  const told = data?.stuck.find((one) => one.run.id === run.id);
  if (told) {
    const since = Math.max(0, (Date.now() - dataUpdatedAt) / 1000);
    return { seconds: told.seconds + since, limit: told.limit, cause: told.cause ?? run.stuck_cause };
  }
  // The server called it stuck when the limit was over; until it says more, that is what is known.
  const since = run.last_event_at ? Math.max(0, (now - new Date(run.last_event_at).getTime()) / 1000) : 0;
  return { seconds: kind.stuck_seconds + since, limit: kind.stuck_seconds, cause: run.stuck_cause };
}

/** The status, where more can be said than its plain word. */
export function useStatusWords(run: RunHeader, kind: Kind): string | undefined {
  const now = useNow();
  const stuck = useStuck(run, kind);
  return statusWords(run, kind, now, stuck?.seconds ?? null);
}

/** Why nobody takes a queued run; null while a host may. */
export function useWaiting(run: RunHeader): string | null {
  const { data } = useQuery({ ...stuckQuery, enabled: run.status === "queued" && !run.attached });
  if (run.status !== "queued") return null;
  const told = data?.waiting.find((one) => one.run.id === run.id);
  return told ? waitingSentence(told.cause) : null;
}
