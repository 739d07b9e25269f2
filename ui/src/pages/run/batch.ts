/** Many changes, few commits: a store that tells its listeners at most ten times a second. */

import { useSyncExternalStore } from "react";

export const COMMIT_MS = 100;

/** Holds a snapshot for React. A timer and not frames: frames stop in hidden tabs. */
export class Batched<T> {
  #value: T;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly take: () => T,
    private readonly ms: number = COMMIT_MS,
  ) {
    this.#value = take();
  }

  /** Something changed; listeners hear of it with the next commit. */
  touch = (): void => {
    this.#timer ??= setTimeout(this.commit, this.ms);
  };

  commit = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#value = this.take();
    for (const listener of this.#listeners) listener();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  read = (): T => this.#value;
}

export function useBatched<T>(store: Batched<T>): T {
  return useSyncExternalStore(store.subscribe, store.read);
}
