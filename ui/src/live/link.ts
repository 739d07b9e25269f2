/**
 * The browser's one connection to the server.
 *
 * It streams every run's header and all events of the watched runs; where a
 * stream cannot be had it polls. It lives in a SharedWorker, or in the tab where
 * there is none. Each watched run has a place (`epoch-seq`): an event is handed
 * on once, and every reconnect goes on from there.
 */

import type { Frame, RunEvent } from "@/api/types";
import { backoff } from "@/live/backoff";
import { Poller } from "@/live/poller";
import { SseParser } from "@/live/sse";
import type { Connection, ConnectionState } from "@/live/types";

const FIRST_BYTE_MS = 5000;
const SILENCE_MS = 35_000;
const STREAM_AGAIN_MS = 30_000;
const CATCHING_UP_MS = 300;
const FAILURES_BEFORE_POLLING = 3;
const MAX_WATCHED = 64;

export interface Place {
  seq: number;
  epoch: string | null;
}

export interface LinkEars {
  onFrames: (frames: Frame[]) => void;
  onConnection: (connection: Connection) => void;
}

export const isEvent = (frame: Frame): frame is RunEvent => "seq" in frame;

class Refused extends Error {
  constructor(readonly status: number) {
    super(`the stream was refused with ${status}`);
  }
}

export class StreamLink {
  readonly places = new Map<string, Place>();
  connection: Connection = { state: "connecting", retryAt: null, tries: 0, freshAt: null, behind: 0 };

  private aborter: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private reopenTimer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  /** When the server that stops wants this browser back. */
  private toldWait: number | null = null;
  private goals = new Map<string, number>();
  private goalTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly poller: Poller;

  constructor(
    private readonly ears: LinkEars,
    private readonly random: () => number = Math.random,
  ) {
    this.poller = new Poller(
      this.places,
      (frames) => this.take(frames),
      (error) => this.pollingFailed(error),
    );
  }

  open(): void {
    void this.stream();
  }

  close(): void {
    this.stopTimers();
    this.poller.stop();
    this.aborter?.abort();
    this.aborter = null;
  }

  /** Follow a run from `place`. What is watched already keeps its place. */
  watch(id: string, place: Place): void {
    if (this.places.has(id)) return;
    this.places.set(id, place);
    const oldest = this.places.keys().next().value;
    if (this.places.size > MAX_WATCHED && oldest) this.places.delete(oldest);
    clearTimeout(this.reopenTimer);
    this.reopenTimer = setTimeout(() => this.reopen(), 10);
  }

  /** Events of this run are no longer wanted; the stream is told when it is opened next. */
  unwatch(id: string): void {
    this.places.delete(id);
    this.goals.delete(id);
  }

  /** Try at once, unless all is well. */
  tryNow(): void {
    if (this.connection.state === "live" || this.connection.state === "catching-up") return;
    this.failures = 0;
    if (this.connection.retryAt !== null) this.say(this.connection.state, { retryAt: null });
    void this.stream();
  }

  private reopen(): void {
    if (this.aborter) void this.stream();
    else if (this.poller.active) void this.poller.now();
  }

  private async stream(): Promise<void> {
    this.stopTimers();
    this.aborter?.abort();
    const aborter = new AbortController();
    this.aborter = aborter;
    const late = setTimeout(() => aborter.abort(new Error("late")), FIRST_BYTE_MS);
    let opened = false;
    try {
      const response = await fetch(`/api/stream${this.search()}`, {
        headers: { Accept: "text/event-stream" },
        credentials: "same-origin",
        cache: "no-store",
        signal: aborter.signal,
      });
      if (!response.ok || !response.body) throw new Refused(response.status);
      for await (const frames of chunks(response.body, aborter)) {
        if (!opened) clearTimeout(late);
        if (!opened) this.opened();
        opened = true;
        this.take(frames);
      }
      throw new Error("the stream ended");
    } catch (error) {
      clearTimeout(late);
      if (this.aborter !== aborter) return;
      this.aborter = null;
      this.failed(error, !opened && aborter.signal.aborted);
    }
  }

  private search(): string {
    if (this.places.size === 0) return "";
    const parts = [...this.places].map(([id, { seq, epoch }]) => `${id}:${epoch ? `${epoch}-` : ""}${seq}`);
    return `?watch=${parts.join(",")}`;
  }

  private opened(): void {
    this.failures = 0;
    this.poller.stop();
    this.goals.clear();
    this.say("live", { behind: 0 });
  }

  /** Hand on what is new: each event once, and remember the place. */
  private take(frames: Frame[]): void {
    const fresh = frames.filter((frame) => this.note(frame));
    this.connection = { ...this.connection, freshAt: Date.now() };
    if (fresh.length > 0) this.ears.onFrames(fresh);
    if (this.connection.state === "catching-up") this.tellBehind();
  }

  private note(frame: Frame): boolean {
    if (isEvent(frame)) return this.noteEvent(frame);
    if (frame.type === "heartbeat") return false;
    if (frame.type === "bye") this.toldWait = frame.data.retry_ms;
    if (frame.type === "run.deleted") this.unwatch(frame.data.id);
    if (frame.type === "run" || frame.type === "run.deleted") return true;
    const id = "run_id" in frame ? frame.run_id : undefined;
    const place = id ? this.places.get(id) : undefined;
    if (!id || !place) return true;
    if (frame.type === "hello") this.hello(id, place, frame.data);
    if (frame.type === "reset") place.seq = 0;
    if (frame.type === "gap") place.seq = Math.max(place.seq, frame.data.to);
    return true;
  }

  private noteEvent(event: RunEvent): boolean {
    const place = this.places.get(event.run_id);
    if (!place || event.seq <= place.seq) return false;
    place.seq = event.seq;
    const goal = this.goals.get(event.run_id);
    if (goal !== undefined && event.seq >= goal) this.goals.delete(event.run_id);
    return true;
  }

  private hello(id: string, place: Place, data: { epoch: string; head?: number }): void {
    place.epoch = data.epoch;
    if ((data.head ?? 0) <= place.seq) return;
    this.goals.set(id, data.head ?? 0);
    clearTimeout(this.goalTimer);
    this.goalTimer = setTimeout(() => this.tellBehind(), CATCHING_UP_MS);
  }

  private tellBehind(): void {
    let behind = 0;
    for (const [id, head] of this.goals) behind += Math.max(0, head - (this.places.get(id)?.seq ?? head));
    this.say(behind > 0 ? "catching-up" : "live", { behind });
  }

  private failed(error: unknown, late: boolean): void {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      this.poller.stop();
      this.say("signed-out", { retryAt: null });
      return;
    }
    this.failures = late ? Math.max(this.failures + 1, FAILURES_BEFORE_POLLING) : this.failures + 1;
    if (this.poller.active) {
      this.again(this.random() * STREAM_AGAIN_MS);
      return;
    }
    if (this.failures >= FAILURES_BEFORE_POLLING) {
      void this.poll();
      return;
    }
    const wait = this.toldWait ?? backoff(this.failures, this.random);
    this.toldWait = null;
    this.say("reconnecting", { retryAt: Date.now() + wait });
    this.again(wait);
  }

  private async poll(): Promise<void> {
    if (await this.poller.start()) {
      this.say("polling", { retryAt: null });
      this.again(this.random() * STREAM_AGAIN_MS);
    }
  }

  private pollingFailed(status: number): void {
    this.poller.stop();
    if (status === 401 || status === 403) {
      this.say("signed-out", { retryAt: null });
      return;
    }
    const wait = backoff(this.failures, this.random);
    this.say("offline", { retryAt: Date.now() + wait });
    this.again(wait);
  }

  private again(wait: number): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.stream(), wait);
  }

  private stopTimers(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.reopenTimer);
    clearTimeout(this.goalTimer);
  }

  private say(state: ConnectionState, more: Partial<Connection> = {}): void {
    const retryAt = state === "live" || state === "catching-up" ? null : this.connection.retryAt;
    this.connection = { ...this.connection, retryAt, tries: this.failures, ...more, state };
    this.ears.onConnection(this.connection);
  }
}

/** Frames as they come in; ends with an error after 35 s without a byte. */
async function* chunks(body: ReadableStream<Uint8Array>, aborter: AbortController): AsyncGenerator<Frame[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const stop = () => void reader.cancel().catch(() => {});
  aborter.signal.addEventListener("abort", stop);
  try {
    while (true) {
      silence = setTimeout(() => aborter.abort(new Error("silent")), SILENCE_MS);
      const { value, done } = await reader.read();
      clearTimeout(silence);
      if (done) return;
      yield parser.push(decoder.decode(value, { stream: true })).map((data) => JSON.parse(data) as Frame);
    }
  } finally {
    clearTimeout(silence);
    aborter.signal.removeEventListener("abort", stop);
    stop();
  }
}
