/** The logs this tab follows, one follower each, folded onto the runs in the query cache. */

import type { QueryClient } from "@tanstack/react-query";
import { request } from "@/api/client";
import { runQuery } from "@/api/queries";
import type { EventsPage, Frame, Run, RunEvent } from "@/api/types";
import { fold } from "@/live/fold";
import { Follower } from "@/live/follower";
import { isEvent } from "@/live/link";
import type { RunWatch } from "@/live/types";
import { unwatch, watch } from "@/live/wire";

const LINGER_MS = 5000;

const followers = new Map<string, Follower>();
const leaving = new Map<string, ReturnType<typeof setTimeout>>();
let client: QueryClient | null = null;
const headListeners = new Set<(id: string, run: Run) => void>();

export function followWith(queryClient: QueryClient): void {
  client = queryClient;
}

/** Told every run that has been folded forward. */
export const onFolded = (listener: (id: string, run: Run) => void): void => {
  headListeners.add(listener);
};

/** Follow `run` and hear of it. Returns how to stop. */
export function follow(run: Run, ears: RunWatch): () => void {
  const follower = followers.get(run.id) ?? begin(run);
  clearTimeout(leaving.get(run.id));
  leaving.delete(run.id);
  follower.watches.add(ears);
  return () => {
    follower.watches.delete(ears);
    if (follower.watches.size > 0) return;
    leaving.set(
      run.id,
      setTimeout(() => end(run.id), LINGER_MS),
    );
  };
}

function begin(run: Run): Follower {
  const follower = new Follower(run.head, {
    load: (after) => request<EventsPage>(`/runs/${run.id}/events?after=${after}&limit=5000`),
    reload: () => reload(run.id),
    onEvents: (events) => foldAll(run.id, events),
  });
  followers.set(run.id, follower);
  watch(run.id, { seq: run.head, epoch: run.epoch });
  return follower;
}

function end(id: string): void {
  followers.delete(id);
  leaving.delete(id);
  unwatch(id);
}

/** Every cached copy of a run: it may have been asked for by id, number or name. */
function cachedKeys(id: string): readonly (readonly unknown[])[] {
  const cached = client?.getQueriesData<Run>({ queryKey: ["run"] }) ?? [];
  return cached.filter(([key, run]) => key.length === 2 && run?.id === id).map(([key]) => key);
}

function foldAll(id: string, events: RunEvent[]): void {
  for (const key of cachedKeys(id)) {
    const run = client?.setQueryData<Run>(key, (before) => before && events.reduce<Run>(fold, before));
    if (run) for (const listener of headListeners) listener(id, run);
  }
}

async function reload(id: string): Promise<number> {
  if (!client) return 0;
  const run = await client.fetchQuery({ ...runQuery(id), staleTime: 0 });
  for (const key of cachedKeys(id)) client.setQueryData(key, run);
  unwatch(id);
  watch(id, { seq: run.head, epoch: run.epoch });
  return run.head;
}

/** Hand the frames of followed runs to their followers. */
export function takeFrames(frames: readonly Frame[]): void {
  const byRun = new Map<string, RunEvent[]>();
  for (const frame of frames) {
    if (isEvent(frame)) {
      const events = byRun.get(frame.run_id);
      if (events) events.push(frame);
      else byRun.set(frame.run_id, [frame]);
    } else if (frame.type === "reset" || frame.type === "gap") void followers.get(frame.run_id)?.reset();
  }
  for (const [id, events] of byRun) followers.get(id)?.offer(events);
}

export const standsAt = (id: string, seq: number): void => followers.get(id)?.reaches(seq);
