/** Stuck runs that nobody wants to hear of for a while, in this browser. */

import { useSyncExternalStore } from "react";

const KEY = "pilothouse.snoozed";
const SNOOZE_MS = 10 * 60_000;

type Snoozed = Readonly<Record<string, number>>;

const listeners = new Set<() => void>();
let snoozed: Snoozed = load();

function load(): Snoozed {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return read !== null && typeof read === "object" ? (read as Snoozed) : {};
  } catch {
    return {};
  }
}

/** Say nothing of these runs for 10 minutes; of others that get stuck meanwhile it is said all the same. */
export function snooze(ids: readonly string[]): void {
  const now = Date.now();
  const kept = Object.entries(snoozed).filter(([, until]) => until > now);
  snoozed = Object.fromEntries([...kept, ...ids.map((id) => [id, now + SNOOZE_MS] as const)]);
  try {
    localStorage.setItem(KEY, JSON.stringify(snoozed));
  } catch {
    // Without storage it holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Whether a run is snoozed at `now`. */
export function useSnoozed(): (id: string, now: number) => boolean {
  const until = useSyncExternalStore(subscribe, () => snoozed);
  return (id, now) => (until[id] ?? 0) > now;
}
