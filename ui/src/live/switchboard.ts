/**
 * One link, many tabs: gives each tab the headers of all runs and the events of the runs it watches.
 *
 * News is gathered for 50 ms. Not animation frames: those stop in hidden tabs,
 * and the title and the sound of a finished run must not.
 */

import type { Frame, RunHeader, ServiceFrame } from "@/api/types";
import { isEvent, type LinkEars, StreamLink } from "@/live/link";
import type { ToTab, ToWorker } from "@/live/messages";
import type { Connection } from "@/live/types";

const BATCH_MS = 50;

export interface Tab {
  send: (message: ToTab) => void;
}

export class Switchboard {
  private readonly tabs = new Map<Tab, Set<string>>();
  private readonly headers = new Map<string, RunHeader>();
  private readonly link: StreamLink;
  private batch: Frame[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private opened = false;
  private greeting: { hello: ServiceFrame & { type: "hello" }; at: number } | null = null;

  constructor(makeLink: (ears: LinkEars) => StreamLink = (ears) => new StreamLink(ears)) {
    this.link = makeLink({
      onFrames: (frames) => this.gather(frames),
      onConnection: (connection) => this.tell(connection),
    });
  }

  join(tab: Tab): void {
    this.tabs.set(tab, new Set());
    if (!this.opened) {
      this.opened = true;
      this.link.open();
      return;
    }
    const known: Frame[] = [...this.headers.values()].map((data) => ({ type: "run", data }));
    if (this.greeting) known.unshift(aged(this.greeting.hello, Date.now() - this.greeting.at));
    if (known.length > 0) tab.send({ frames: known });
    tab.send({ connection: this.link.connection });
    // A page that loads anew may have signed in meanwhile.
    if (this.link.connection.state === "signed-out") this.link.tryNow();
  }

  hear(tab: Tab, message: ToWorker): void {
    const watched = this.tabs.get(tab);
    if (!watched) return;
    switch (message.do) {
      case "watch":
        watched.add(message.id);
        this.link.watch(message.id, message.place);
        tab.send({ at: { id: message.id, seq: this.link.places.get(message.id)?.seq ?? 0 } });
        break;
      case "unwatch":
        watched.delete(message.id);
        this.forget(message.id);
        break;
      case "try":
        this.link.tryNow();
        break;
      case "leave":
        this.tabs.delete(tab);
        for (const id of watched) this.forget(id);
        break;
    }
  }

  private forget(id: string): void {
    for (const watched of this.tabs.values()) if (watched.has(id)) return;
    this.link.unwatch(id);
  }

  private gather(frames: Frame[]): void {
    for (const frame of frames) {
      if (frame.type === "run") this.headers.set(frame.data.id, frame.data);
      else if (frame.type === "run.deleted") this.headers.delete(frame.data.id);
      else if (frame.type === "hello" && !frame.run_id) this.greet(frame);
      this.batch.push(frame);
    }
    if (this.timer === undefined) this.timer = setTimeout(() => this.flush(), BATCH_MS);
  }

  /** The headers that follow are all there are: what ran before and is not among them is gone. */
  private greet(hello: ServiceFrame & { type: "hello" }): void {
    this.greeting = { hello, at: Date.now() };
    this.headers.clear();
  }

  private flush(): void {
    this.timer = undefined;
    const frames = this.batch;
    this.batch = [];
    for (const [tab, watched] of this.tabs) {
      const wanted = frames.filter((frame) => concerns(frame, watched));
      if (wanted.length > 0) tab.send({ frames: wanted });
    }
  }

  private tell(connection: Connection): void {
    for (const tab of this.tabs.keys()) tab.send({ connection });
  }
}

function concerns(frame: Frame, watched: Set<string>): boolean {
  if (isEvent(frame)) return watched.has(frame.run_id);
  if (frame.type === "run" || frame.type === "run.deleted") return true;
  return !("run_id" in frame) || !frame.run_id || watched.has(frame.run_id);
}

/** The greeting as it would be said now: tabs set their clocks by it. */
function aged(hello: ServiceFrame & { type: "hello" }, milliseconds: number): Frame {
  const time = new Date(hello.data.server_time).getTime() + milliseconds;
  return { ...hello, data: { ...hello.data, server_time: new Date(time).toISOString() } };
}
