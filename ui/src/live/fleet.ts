/** The latest value of every run that is live or ended lately. */

import type { Frame, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";

const REFRESH_MS = 2000;

export type FleetListener = () => void;
/** Told a run's last value and its new one. */
export type ChangeListener = (before: RunHeader | null, after: RunHeader) => void;

export class FleetStore {
  ready = false;
  runs: ReadonlyMap<string, RunHeader> = new Map();
  private readonly listeners = new Set<FleetListener>();
  private readonly changeListeners = new Set<ChangeListener>();
  private refreshed = new Set<string>();
  private epoch: string | null = null;
  private refreshTimer: ReturnType<typeof setTimeout> | undefined;

  subscribe = (listener: FleetListener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  onChange(listener: ChangeListener): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  /** Take the frames that concern the fleet; the others are none of its business. */
  take(frames: readonly Frame[]): void {
    const runs = new Map(this.runs);
    const changes: [RunHeader | null, RunHeader][] = [];
    const deleted = frames.filter((frame) => frame.type === "run.deleted" && runs.delete(frame.data.id));
    const greeting = frames.find((frame) => frame.type === "hello" && !frame.run_id);
    const isOther = greeting?.type === "hello" && this.greet(greeting.data.epoch);
    if (isOther) runs.clear();
    for (const frame of frames) {
      const change = frame.type === "run" ? this.put(runs, frame.data) : null;
      if (change) changes.push(change);
    }
    if (this.ready && deleted.length + changes.length === 0 && !isOther) return;
    this.set(runs);
    for (const [before, after] of changes)
      for (const listener of this.changeListeners) listener(before, after);
  }

  /** Put `run` among `runs`, unless a newer value is there. */
  private put(runs: Map<string, RunHeader>, run: RunHeader): [RunHeader | null, RunHeader] | null {
    const before = runs.get(run.id) ?? null;
    this.refreshed.add(run.id);
    if (before && before.epoch === run.epoch && before.head > run.head) return null;
    runs.set(run.id, run);
    return [before, run];
  }

  private set(runs: ReadonlyMap<string, RunHeader>): void {
    this.ready = true;
    this.runs = runs;
    for (const listener of this.listeners) listener();
  }

  /**
   * A new stream names every live run: one that it does not name is over.
   *
   * @returns Whether it is the stream of another database, of which nothing is known.
   */
  private greet(epoch: string): boolean {
    const isOther = this.epoch !== null && this.epoch !== epoch;
    this.epoch = epoch;
    this.refreshed = new Set();
    clearTimeout(this.refreshTimer);
    this.refreshTimer = setTimeout(() => {
      const kept = [...this.runs].filter(([id, run]) => isTerminal(run.status) || this.refreshed.has(id));
      if (kept.length < this.runs.size) this.set(new Map(kept));
    }, REFRESH_MS);
    return isOther;
  }
}

export const fleet = new FleetStore();
