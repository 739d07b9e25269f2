/** The logs this tab follows, one follower each, folded onto the runs in the query cache. */

import type { QueryClient } from "@tanstack/react-query";
import { isAway, requestPatiently } from "@/api/client";
import { runQuery } from "@/api/queries";
import type { EventsPage, Frame, Run, RunEvent, ServiceFrame } from "@/api/types";
import { backoff } from "@/live/backoff";
import { fold } from "@/live/fold";
import { Follower } from "@/live/follower";
import { isEvent } from "@/live/link";
import { setLoss } from "@/live/losses";
import type { RunWatch } from "@/live/types";
import { unwatch, watch } from "@/live/wire";

const LINGER_MS = 5000;
/** What is missing of a log is asked for until the server is back: there may be no further news to remind of it. */
const NEVER = new AbortController().signal;

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
    load: (after) => requestPatiently<EventsPage>(`/runs/${run.id}/events?after=${after}&limit=5000`, NEVER),
    reload: () => reload(run.id),
    onGone: () => gone(run.id),
    onLoss: (page) => lost(run.id, page),
    onEvents: (events) => foldAll(run.id, events),
  });
  followers.set(run.id, follower);
  watch(run.id, { seq: run.head, epoch: run.epoch });
  return follower;
}

function end(id: string): void {
  followers.delete(id);
  leaving.delete(id);
  setLoss(id, null);
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
  const retry = (_: number, error: Error) => isAway(error);
  const retryDelay = (tries: number) => backoff(tries + 1);
  const run = await client.fetchQuery({ ...runQuery(id), staleTime: 0, retry, retryDelay });
  for (const key of cachedKeys(id)) client.setQueryData(key, run);
  unwatch(id);
  watch(id, { seq: run.head, epoch: run.epoch });
  return run.head;
}

/** Remember what is gone. Of a log that was replaced nothing is kept but the run, until it is loaded anew. */
function lost(id: string, { gap, reset }: Pick<EventsPage, "gap" | "reset">): void {
  if (gap) setLoss(id, { kind: "gap", from: gap.from, to: gap.to });
  if (!reset) return;
  setLoss(id, { kind: "reset", reason: reset.reason });
  const names = new Set(cachedKeys(id).map((key) => key[1]));
  const isOfRun = (key: readonly unknown[]) => key[0] === "run" && key.length > 2 && names.has(key[1]);
  void client?.resetQueries({ predicate: ({ queryKey }) => isOfRun(queryKey) });
  void client?.invalidateQueries({ queryKey: ["runs"] });
}

function losing(frame: ServiceFrame & { type: "gap" | "reset" }): void {
  const follower = followers.get(frame.run_id);
  if (!follower) return;
  lost(frame.run_id, frame.type === "gap" ? { gap: frame.data } : { reset: frame.data });
  void follower.reset();
}

/** The run cannot be loaded any more: its page asks again and says so. */
function gone(id: string): void {
  for (const key of cachedKeys(id)) void client?.resetQueries({ queryKey: key, exact: true });
}

/** Hand the frames of followed runs to their followers. */
export function takeFrames(frames: readonly Frame[]): void {
  const byRun = new Map<string, RunEvent[]>();
  for (const frame of frames) {
    if (isEvent(frame)) {
      const events = byRun.get(frame.run_id);
      if (events) events.push(frame);
      else byRun.set(frame.run_id, [frame]);
    } else if (frame.type === "reset" || frame.type === "gap") losing(frame);
  }
  for (const [id, events] of byRun) followers.get(id)?.offer(events);
}

export const standsAt = (id: string, seq: number): void => followers.get(id)?.reaches(seq);
