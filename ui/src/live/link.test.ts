import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "@/api/types";
import { backoff } from "@/live/backoff";
import { event, FakeServer } from "@/live/fakeServer";
import { StreamLink } from "@/live/link";
import { SseParser } from "@/live/sse";

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

  // rows: S1.21 S2.20 S4.38 S4.66 S5.81
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

  // rows: S2.85 S2.93 S3.65 S3.76 S3.93 S4.67 S4.97 S5.80
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

  // rows: S2.3 S2.4 S2.72
  it("connects, and where no stream comes asks for lists every 5 s and watched runs more often", async () => {
    const header = { type: "run", data: { id: "r1", head: 5, status: "running" } };
    server.answer = (url) => {
      if (url.startsWith("/api/stream")) return new Response(null, { status: 502 });
      if (url.includes("/events")) return Response.json({ events: [], head: 4, epoch: "e1" });
      return Response.json({ runs: [header.data], total: 1, before: null });
    };
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(5000);
    const first = server.urls[0];
    server.urls.length = 0;
    frames.length = 0;
    await settle(20_000);

    const asked = (part: string) => server.urls.filter((url) => url.includes(part)).length;
    expect(first).toBe("/api/stream?watch=r1:e1-4");
    expect(asked("/api/runs?limit=50")).toBe(4);
    expect(asked("/api/runs/r1/events")).toBe(10);
    expect(frames.filter((frame) => frame.type === "run")).toEqual(Array(4).fill(header));
  });

  // rows: S4.53
  it("asks for nothing while the stream lives", async () => {
    server.answer = () => server.stream();
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    for (let beat = 0; beat < 40; beat += 1) {
      await settle(beat === 0 ? 20 : 15_000);
      server.write();
    }

    expect(server.urls).toEqual(["/api/stream?watch=r1:e1-4"]);
  });

  // rows: S4.44
  it.each(["https://host.example/runs/7", "http://localhost:8425/"])(
    "talks to where %s came from",
    async (page) => {
      server.answer = () => new Response(null, { status: 502 });
      link.watch("r1", { seq: 4, epoch: "e1" });
      link.open();
      await settle(5000);

      const origins = server.urls.map((url) => new URL(url, page).origin);
      expect(origins.length).toBeGreaterThan(3);
      expect(new Set(origins)).toEqual(new Set([new URL(page).origin]));
    },
  );

  // rows: S4.10 S4.51
  it("follows a run as soon as there is one to follow, and opens nothing before", async () => {
    server.answer = () => server.stream();
    link.watch("r1", { seq: 0, epoch: null });
    await settle(1000);
    expect(server.urls).toEqual([]);

    link.open();
    await settle();
    server.write();
    link.watch("r2", { seq: 7, epoch: "e1" });
    await settle(20);

    expect(server.urls).toEqual(["/api/stream?watch=r1:0", "/api/stream?watch=r1:0,r2:e1-7"]);
  });

  // rows: S3.8
  it("asks for the news of what it watches every 2 s while it polls, and not while it streams", async () => {
    const asked = () => server.urls.filter((url) => url.includes("/events")).length;
    server.answer = () => server.stream();
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(10_000);
    expect(asked()).toBe(0);

    server.answer = (url) =>
      url.startsWith("/api/stream")
        ? new Response(null, { status: 502 })
        : Response.json({ events: [], head: 4, epoch: "e1", runs: [], total: 0, before: null });
    server.hangUp();
    while (link.connection.state !== "polling") await settle(100);
    const before = asked();
    await settle(4_100);

    expect(asked() - before).toBe(2);
  });

  // rows: S1.78
  it("falls to polling when the first byte is late, as behind a buffering proxy", async () => {
    server.answer = (url) =>
      url.startsWith("/api/stream") ? server.stream() : Response.json({ runs: [], total: 0 });
    link.open();
    await settle(5100);

    expect(link.connection.state).toBe("polling");
  });

  // rows: S1.71 S4.40 S4.43
  it("counts down while the server cannot be reached, and tries at once when asked", async () => {
    server.answer = () => Promise.reject(new TypeError("refused"));
    link.open();
    await settle(6000);
    expect(link.connection.state).toBe("offline");
    expect(link.connection.retryAt).toBeGreaterThan(Date.now());
    expect(link.connection.tries).toBeGreaterThanOrEqual(3);

    server.answer = () => server.stream();
    link.tryNow();
    await settle();
    server.write();
    await settle();
    expect(link.connection).toMatchObject({ state: "live", retryAt: null, tries: 0 });
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

  // rows: S4.36 S4.76
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

  it("goes on polling the others when a run is deleted", async () => {
    server.answer = (url) => {
      if (url.includes("/r1/events")) return Response.json({ events: [event(5)], head: 5, epoch: "e1" });
      if (url.startsWith("/api/runs?")) return Response.json({ runs: [], total: 0, before: null });
      return new Response(null, { status: url.startsWith("/api/stream") ? 502 : 404 });
    };
    link.watch("gone", { seq: 1, epoch: "e1" });
    link.watch("r1", { seq: 4, epoch: "e1" });
    link.open();
    await settle(10_000);

    expect(states).not.toContain("offline");
    expect(frames).toContainEqual({ type: "run.deleted", run_id: "gone", data: { id: "gone" } });
    expect(frames).toContainEqual(event(5));
    expect(server.urls.filter((url) => url.includes("/gone/"))).toHaveLength(1);
  });

  it("takes a server that takes questions and never answers for one that is away", async () => {
    server.answer = () => new Promise(() => {});
    link.open();
    await settle(60_000);
    const tries = server.urls.length;
    await settle(120_000);

    expect(link.connection.state).toBe("offline");
    expect(server.urls.length).toBeGreaterThan(tries);
  });

  it("does not begin to poll once the stream is back", async () => {
    const waiting: (() => void)[] = [];
    server.answer = (url) => {
      if (url.startsWith("/api/stream")) return new Response(null, { status: 502 });
      return new Promise((resolve) => {
        waiting.push(() => resolve(Response.json({ runs: [], total: 0, before: null })));
      });
    };
    link.open();
    await settle(3000);
    server.answer = () => server.stream();
    link.tryNow();
    await settle();
    server.write();
    await settle();
    for (const answer of waiting) answer();
    await settle();

    expect(link.connection.state).toBe("live");
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
  // rows: S1.65 S4.34 S4.35 S4.41 S4.76
  it("waits at most 1, 3, 5, 10, 20, 30 and 30 seconds for ever", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1e6].map((failures) => backoff(failures, () => 1) / 1000);

    expect(longest).toEqual([1, 3, 5, 10, 20, 30, 30, 30, 30]);
    expect(backoff(7, () => 0)).toBe(0);
  });

  // rows: S4.33 S4.41
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
