/** The live layer's public face: everything a page needs to follow and steer runs. */

import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { runQuery } from "@/api/queries";
import type { Control, Run, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { type AskOptions, ask, askedOf, askedVersion, onAsked, withAsked } from "@/live/asked";
import { fleet } from "@/live/fleet";
import { follow } from "@/live/followed";
import type { Asked, Connection, ConnectionState, RunWatch } from "@/live/types";
import { onConnection, readConnection, tryNow } from "@/live/wire";

export { useTitle } from "@/live/title";

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
  /** Resolves to whether the server took it; a refusal is told by a notice. */
  ask: (control: Control, options?: AskOptions) => Promise<boolean>;
}

export function useFleet(): Fleet {
  const runs = useSyncExternalStore(fleet.subscribe, () => fleet.runs);
  const asked = useSyncExternalStore(onAsked, askedVersion);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` says that what lies over the runs has changed.
  return useMemo(() => {
    const all = [...runs.values()].map(withAsked).sort((one, other) => other.number - one.number);
    const running = all.filter((run) => run.status === "running");
    const stuck = running.filter((run) => run.stuck).length;
    return { ready: fleet.ready, runs: all, running: running.length, stuck };
  }, [runs, asked]);
}

/** One run, loaded once and then folded forward with its events. Suspends while it loads. */
export function useLiveRun(id: string): { run: Run; connection: Connection } {
  const { data } = useSuspenseQuery(runQuery(id));
  const connection = useSyncExternalStore(onConnection, readConnection);
  const asked = useSyncExternalStore(onAsked, askedVersion);
  useRunEvents(id, NOTHING);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` says that what lies over the run has changed.
  const run = useMemo(() => withAsked(data), [data, asked]);
  const over = isTerminal(run.status) && (connection.state === "live" || connection.state === "polling");
  return { run, connection: over ? { ...connection, state: "ended" } : connection };
}

const NOTHING: RunWatch = { onEvents: () => {} };

/**
 * Hear every event of a run that comes from now on.
 *
 * Use it below `useLiveRun`. Subscribe first, load second: drop what your load
 * already holds (`seq <= head`), and no event is missed. An event that comes
 * straight from a load that was older than the page's is offered again.
 */
export function useRunEvents(id: string, watch: RunWatch): void {
  const client = useQueryClient();
  const latest = useRef(watch);
  latest.current = watch;
  useEffect(() => {
    let stop: (() => void) | null = null;
    let gone = false;
    const ears: RunWatch = {
      onEvents: (events) => latest.current.onEvents(events),
      onReset: () => latest.current.onReset?.(),
    };
    const cached = client.getQueryData<Run>(runQuery(id).queryKey);
    if (cached) stop = follow(cached, ears);
    else
      client.ensureQueryData(runQuery(id)).then(
        (run) => {
          if (!gone) stop = follow(run, ears);
        },
        () => {}, // The page's own query shows why the run cannot be loaded.
      );
    return () => {
      gone = true;
      stop?.();
    };
  }, [client, id]);
}

export function useConnection(): Connection & { tryNow: () => void } {
  const connection = useSyncExternalStore(onConnection, readConnection);
  return { ...connection, tryNow };
}

const CUT_OFF: Partial<Record<ConnectionState, string>> = {
  offline: "The server cannot be reached. The run keeps going.",
  "signed-out": "Your session ended. The run keeps going; sign in to steer it.",
};

/** Why no control can be asked for now; null while one can. */
export const cutOffWords = (state: ConnectionState): string | null => CUT_OFF[state] ?? null;

/** Pause, resume, cancel: `pending` shows at once in every hook and is taken back when refused. */
export function useControl(id: string): Steering {
  useSyncExternalStore(onAsked, askedVersion);
  const asking = useMemo(() => (control: Control, options?: AskOptions) => ask(id, control, options), [id]);
  const asked = askedOf(id);
  return { asked: asked && { control: asked.control, stage: asked.stage }, ask: asking };
}

/** True once `on` has lasted for `ms`: keeps short troubles off the screen. */
export function useLasting(on: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!on) {
      setLasting(false);
      return;
    }
    const timer = setTimeout(() => setLasting(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && lasting;
}
