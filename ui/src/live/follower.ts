/** Follows one log: hands on every event once and in order, and fetches what is missing. */

import type { EventsPage, RunEvent } from "@/api/types";
import type { RunWatch } from "@/live/types";

/** More missing events than this are not fetched one by one: the run is loaded anew. */
const TOO_MANY = 5000;

export interface FollowerPlugs {
  load: (after: number) => Promise<EventsPage>;
  /** Load the run anew; resolves to its head. */
  reload: () => Promise<number>;
  /** Told that it could not be loaded anew. */
  onGone?: () => void;
  /** Told of what a load says is gone. */
  onLoss?: (page: EventsPage) => void;
  onEvents: (events: RunEvent[]) => void;
}

export class Follower {
  readonly watches = new Set<RunWatch>();
  private early: RunEvent[] = [];
  private working = false;
  private resetting: Promise<void> | null = null;
  /** Counts resets: what was asked for before one is of no use after it. */
  private life = 0;

  constructor(
    public head: number,
    private readonly plugs: FollowerPlugs,
  ) {}

  /** Events from the stream; late, early and doubled ones are welcome. */
  offer(events: readonly RunEvent[]): void {
    this.early.push(...events.filter((event) => event.seq > this.head));
    if (this.working) return;
    this.drain();
    const first = this.early[0];
    if (first) void this.fill(first.seq - 1);
  }

  /** The log is known to reach `head`. */
  reaches(head: number): void {
    if (head > this.head && !this.working) void this.fill(head);
  }

  /** What was known of this log is worth nothing. */
  reset(): Promise<void> {
    this.resetting ??= this.start().finally(() => {
      this.resetting = null;
    });
    return this.resetting;
  }

  private async start(): Promise<void> {
    this.life += 1;
    this.early = [];
    // What comes meanwhile may be of another log, with smaller numbers.
    this.head = 0;
    this.working = true;
    try {
      this.head = await this.plugs.reload();
      for (const { onReset } of this.watches) onReset?.();
    } catch {
      this.early = [];
      this.plugs.onGone?.();
    } finally {
      this.working = false;
    }
    this.offer([]);
  }

  private drain(): void {
    this.early.sort((one, other) => one.seq - other.seq);
    const ready: RunEvent[] = [];
    for (const event of this.early) {
      if (event.seq === this.head + 1) {
        ready.push(event);
        this.head = event.seq;
      } else if (event.seq > this.head) break;
    }
    this.early = this.early.filter((event) => event.seq > this.head);
    if (ready.length === 0) return;
    this.plugs.onEvents(ready);
    for (const { onEvents } of this.watches) onEvents(ready);
  }

  private async fill(to: number): Promise<void> {
    if (to - this.head > TOO_MANY) return this.reset();
    this.working = true;
    const { life } = this;
    try {
      const page = await this.plugs.load(this.head);
      if (life !== this.life) return;
      if (page.gap || page.reset) {
        this.plugs.onLoss?.(page);
        return await this.reset();
      }
      this.early.push(...page.events);
    } catch {
      // The next news tries again.
      if (life === this.life) this.working = false;
      return;
    }
    const before = this.head;
    this.drain();
    this.working = false;
    // What the server itself does not have is gone for good.
    if (this.head === before && this.early.length > 0) return this.reset();
    const first = this.early[0];
    if (first) void this.fill(first.seq - 1);
  }
}
