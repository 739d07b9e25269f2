/** What is gone of the logs this tab follows, for as long as it follows them. */

import { useSyncExternalStore } from "react";

export type Loss = { kind: "gap"; from: number; to: number } | { kind: "reset"; reason: string };

let losses: ReadonlyMap<string, Loss> = new Map();
const listeners = new Set<() => void>();

/** Remember the latest, or forget it. */
export function setLoss(id: string, loss: Loss | null): void {
  const changed = new Map(losses);
  if (loss === null) changed.delete(id);
  else changed.set(id, loss);
  losses = changed;
  for (const listener of listeners) listener();
}

export const readLosses = (): ReadonlyMap<string, Loss> => losses;

export function useLosses(): ReadonlyMap<string, Loss> {
  return useSyncExternalStore(subscribe, readLosses);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
