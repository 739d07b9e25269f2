/** One shared clock for every age and stopwatch on the page. */

import { useSyncExternalStore } from "react";

let now = Date.now();
let offset = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now() + offset;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!timer) {
    now = Date.now() + offset;
    timer = setInterval(tick, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The server's time in milliseconds, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** Apply the server's clock: its times are compared with ours. */
export function setServerTime(time: string): void {
  offset = new Date(time).getTime() - Date.now();
  if (Math.abs(offset) < 1500) offset = 0;
}

export const serverNow = (): number => Date.now() + offset;
