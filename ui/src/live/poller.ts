/** What stands in for the stream where a proxy blocks it: lists every 5 s, events of watched runs every 2 s. */

import type { EventsPage, Frame, RunsPage } from "@/api/types";
import type { Place } from "@/live/link";

const LIST_MS = 5000;
const EVENTS_MS = 2000;
/** A server that answers later than this is as good as away. */
const ANSWER_MS = 10_000;
const LIVE = "status=running&status=queued&status=paused&limit=200";

class Failed extends Error {
  constructor(readonly status: number) {
    super(`polling failed with ${status}`);
  }
}

export class Poller {
  active = false;
  private timers: ReturnType<typeof setInterval>[] = [];
  /** A start that was overtaken by a stop comes to nothing. */
  private round = 0;
  private readonly busy = new Set<() => Promise<void>>();

  constructor(
    private readonly places: Map<string, Place>,
    private readonly take: (frames: Frame[]) => void,
    /** Told the HTTP status, 0 for an unreachable server. */
    private readonly onFailure: (status: number) => void,
  ) {}

  /** Ask once; when that works keep asking. */
  async start(): Promise<boolean> {
    this.stop();
    const round = this.round;
    if (!(await this.guarded(this.lists)) || round !== this.round) return false;
    this.active = true;
    this.timers = [
      setInterval(() => this.guarded(this.lists), LIST_MS),
      setInterval(() => this.guarded(this.events), EVENTS_MS),
    ];
    await this.guarded(this.events);
    return this.active;
  }

  stop(): void {
    this.round += 1;
    this.active = false;
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  /** Ask for the events at once. */
  async now(): Promise<void> {
    await this.guarded(this.events);
  }

  /** Ask, unless the same is being asked still: a slow server is not asked twice. */
  private async guarded(ask: () => Promise<void>): Promise<boolean> {
    if (this.busy.has(ask)) return true;
    this.busy.add(ask);
    try {
      await ask();
      return true;
    } catch (error) {
      this.onFailure(error instanceof Failed ? error.status : 0);
      return false;
    } finally {
      this.busy.delete(ask);
    }
  }

  private readonly lists = async (): Promise<void> => {
    const [live, newest] = await Promise.all([
      get<RunsPage>(`/api/runs?${LIVE}`),
      get<RunsPage>("/api/runs?limit=50"),
    ]);
    const runs = new Map([...newest.runs, ...live.runs].map((run) => [run.id, run]));
    this.take([...runs.values()].map((run) => ({ type: "run", data: run })));
  };

  private readonly events = async (): Promise<void> => {
    await Promise.all([...this.places].map(([id, place]) => this.followed(id, place)));
  };

  /** The events of a run; one that is gone is told of, and keeps nobody from the others. */
  private async followed(id: string, place: Place): Promise<void> {
    try {
      await this.eventsOf(id, place);
    } catch (error) {
      if (!(error instanceof Failed) || error.status !== 404) throw error;
      this.take([{ type: "run.deleted", run_id: id, data: { id } }]);
    }
  }

  private async eventsOf(id: string, place: Place): Promise<void> {
    let stood: number;
    do {
      stood = place.seq;
      const after = place.epoch ? `${place.epoch}-${stood}` : stood;
      const page = await get<EventsPage>(`/api/runs/${id}/events?after=${after}&limit=5000`);
      const frames = [...losses(id, page), ...page.events];
      if (frames.length > 0) this.take(frames);
      place.epoch = page.epoch;
      if (page.events.length === 0 || place.seq >= page.head) return;
    } while (place.seq !== stood);
  }
}

/** What the answer says is gone, as the frames that a stream would tell it with. */
function losses(id: string, { gap, reset }: EventsPage): Frame[] {
  const frames: Frame[] = [];
  if (reset) frames.push({ type: "reset", run_id: id, data: reset });
  if (gap) frames.push({ type: "gap", run_id: id, data: gap });
  return frames;
}

async function get<T>(url: string): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  try {
    const response = await fetch(url, {
      credentials: "same-origin",
      cache: "no-store",
      signal: late.signal,
    });
    if (!response.ok) throw new Failed(response.status);
    return (await response.json()) as T;
  } finally {
    clearTimeout(timer);
  }
}
