import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "@/api/types";
import { backoff } from "@/live/backoff";
import { StreamLink } from "@/live/link";
import { SseParser } from "@/live/sse";

const event = (seq: number): Frame =>
  ({
    run_id: "r1",
    seq,
    type: "log",
    time: "2026-01-31T09:30:00.125Z",
    data: { level: "info", source: "job", text: `${seq}` },
  }) as Frame;

/** A server whose answers the test writes; remembers what was asked. */
class FakeServer {
  readonly urls: string[] = [];
  answer: (url: string) => Response | Promise<Response> = () => new Response(null, { status: 502 });
  private pipe: ReadableStreamDefaultController<Uint8Array> | null = null;

  fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    this.urls.push(url);
    const response = this.answer(url);
    return await new Promise((resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      Promise.resolve(response).then(resolve, reject);
    });
  };

  stream(): Response {
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (pipe) => {
          this.pipe = pipe;
        },
      }),
    );
  }

  write(...frames: Frame[]): void {
    const text = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("");
    this.pipe?.enqueue(new TextEncoder().encode(text || ": hb\n\n"));
  }

  hangUp(): void {
    this.pipe?.close();
  }
}

describe("the link", () => {
  let server: FakeServer;
  let frames: Frame[];
  let states: string[];
  let link: StreamLink;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    vi.stubGlobal("fetch", server.fetch);
    frames = [];
    states = [];
    link = new StreamLink(
      { onFrames: (more) => frames.push(...more), onConnection: ({ state }) => states.push(state) },
      () => 0.5,
    );
  });

  afterEach(() => {
    link.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  it("goes on from its place after the stream was cut, and hands each event on once", async () => {
    server.answer = () => server.stream();
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(20);
    server.write(event(5), event(6));
    await settle();
    server.hangUp();
    await settle(500);
    server.write(event(6), event(7));
    await settle();

    expect(server.urls.at(-1)).toBe("/api/stream?watch=r1:e1-6");
    expect(frames.map((frame) => "seq" in frame && frame.seq)).toEqual([5, 6, 7]);
    expect(states).toEqual(["live", "reconnecting", "live"]);
  });

  it("falls to polling after three failures and tries the stream again", async () => {
    server.answer = (url) =>
      url.startsWith("/api/stream")
        ? new Response(null, { status: 502 })
        : Response.json(
            url.includes("/events")
              ? { events: [event(5)], head: 5, epoch: "e1" }
              : { runs: [], total: 0, before: null },
          );
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(5000);

    expect(link.connection.state).toBe("polling");
    expect(frames).toContainEqual(event(5));

    server.answer = (url) =>
      url.startsWith("/api/stream") ? server.stream() : Response.json({ runs: [], events: [] });
    await settle(15_000);
    server.write();
    await settle();
    expect(link.connection.state).toBe("live");
  });

  it("falls to polling when the first byte is late, as behind a buffering proxy", async () => {
    server.answer = (url) =>
      url.startsWith("/api/stream") ? server.stream() : Response.json({ runs: [], total: 0 });
    link.open();
    await settle(5100);

    expect(link.connection.state).toBe("polling");
  });

  it("counts down while the server cannot be reached, and tries at once when asked", async () => {
    server.answer = () => Promise.reject(new TypeError("refused"));
    link.open();
    await settle(6000);
    expect(link.connection.state).toBe("offline");
    expect(link.connection.retryAt).toBeGreaterThan(Date.now());

    server.answer = () => server.stream();
    link.tryNow();
    await settle();
    server.write();
    await settle();
    expect(link.connection.state).toBe("live");
  });

  it("takes 35 silent seconds for a lost connection, and heartbeats for life", async () => {
    server.answer = () => server.stream();
    link.open();
    await settle();
    for (let beat = 0; beat < 4; beat += 1) {
      server.write();
      await settle(15_000);
    }
    expect(link.connection.state).toBe("live");

    await settle(36_000);
    expect(states).toContain("reconnecting");
  });

  it("never makes a last try", async () => {
    server.answer = () => Promise.reject(new TypeError("refused"));
    link.open();
    await settle(3_600_000);
    const tries = server.urls.length;
    await settle(120_000);

    expect(tries).toBeGreaterThan(200);
    expect(server.urls.length).toBeGreaterThan(tries + 5);
    expect(link.connection.state).toBe("offline");
  });

  it("comes back when the server that stops has told it to", async () => {
    server.answer = () => server.stream();
    link.open();
    await settle();
    server.write({ type: "bye", data: { retry_ms: 2_345 } });
    await settle();
    server.hangUp();
    await settle();

    expect(link.connection.retryAt).toBe(Date.now() + 2_345);
    await settle(2_344);
    expect(server.urls).toHaveLength(1);
    await settle(1);
    expect(server.urls).toHaveLength(2);
  });

  it("does not count down to a try that is being made", async () => {
    server.answer = () => Promise.reject(new TypeError("refused"));
    link.open();
    await settle(6000);
    server.answer = () => server.stream();
    link.tryNow();

    expect(link.connection).toMatchObject({ state: "offline", retryAt: null });
  });

  it("goes on behind a gap, and from the beginning after a reset, in the new epoch", async () => {
    server.answer = () => server.stream();
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(20);
    const gap: Frame = { type: "gap", run_id: "r1", data: { from: 5, to: 9, reason: "trimmed" } };
    server.write(gap, event(10));
    await settle();
    const afterGap = link.places.get("r1")?.seq;
    const reset: Frame = { type: "reset", run_id: "r1", data: { reason: "the database was replaced" } };
    const hello: Frame = {
      type: "hello",
      run_id: "r1",
      data: { resumed_from: 0, head: 2, epoch: "e2", server_time: "2026-01-31T09:30:00.125Z" },
    };
    server.write(hello, reset, event(1), event(2));
    await settle();

    expect(afterGap).toBe(10);
    expect(frames).toContainEqual(gap);
    expect(frames.flatMap((frame) => ("seq" in frame ? frame.seq : []))).toEqual([10, 1, 2]);
    expect(link.places.get("r1")).toEqual({ seq: 2, epoch: "e2" });
  });

  it("polls every page up to the head, and hands on what the answer says is gone", async () => {
    const pages = new Map([
      ["e1-4", { events: [event(1)], head: 3, epoch: "e2", reset: { reason: "the database was replaced" } }],
      ["e2-1", { events: [event(3)], head: 3, epoch: "e2", gap: { from: 2, to: 2, reason: "trimmed" } }],
    ]);
    server.answer = (url) => {
      if (url.startsWith("/api/stream")) return new Response(null, { status: 502 });
      const after = /after=([^&]+)/.exec(url)?.[1] ?? "";
      return Response.json(pages.get(after) ?? { runs: [], events: [], head: 3, epoch: "e2" });
    };
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(5000);

    expect(frames.map((frame) => ("seq" in frame ? frame.seq : frame.type))).toEqual(["reset", 1, "gap", 3]);
  });

  it("stops when the server no longer knows the browser", async () => {
    server.answer = () => new Response(null, { status: 401 });
    link.open();
    await settle(60_000);

    expect(link.connection.state).toBe("signed-out");
    expect(server.urls).toHaveLength(1);
  });
});

describe("backoff", () => {
  it("waits at most 1, 3, 5, 10, 20, 30 and 30 seconds for ever", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1e6].map((failures) => backoff(failures, () => 1) / 1000);

    expect(longest).toEqual([1, 3, 5, 10, 20, 30, 30, 30, 30]);
    expect(backoff(7, () => 0)).toBe(0);
  });

  it("spreads those who lost the same server over the whole time", () => {
    const waits = Array.from({ length: 4000 }, () => backoff(4) / 1000);
    const inEachSecond = Array.from(
      { length: 10 },
      (_, second) => waits.filter((wait) => Math.floor(wait) === second).length,
    );

    for (const count of inEachSecond) expect(count).toBeGreaterThan(280);
  });
});

describe("the SSE parser", () => {
  it("puts events together that come in pieces", () => {
    const parser = new SseParser();

    expect(parser.push(': hb\n\ndata: {"a"')).toEqual([]);
    expect(parser.push(":1}\n\nid: 4\ndata: x\r\n\r\n")).toEqual(['{"a":1}', "x"]);
  });
});
