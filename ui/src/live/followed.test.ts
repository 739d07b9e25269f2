import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/queries";
import type { Frame, Run } from "@/api/types";
import { follow, followWith, standsAt, takeFrames } from "@/live/followed";
import { readLosses } from "@/live/losses";

const reset: Frame = { type: "reset", run_id: "r1", data: { reason: "the database was replaced" } };

describe("a followed run", () => {
  let client: QueryClient;
  let answers: (() => Response)[];
  let stop: () => void;
  const onReset = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    client = new QueryClient();
    answers = [];
    vi.stubGlobal("fetch", async () => answers.shift()?.() ?? Response.json(run(9, "e2")));
    followWith(client);
    onReset.mockClear();
    client.setQueryData(keys.run("r1"), run(500, "e1"));
    client.setQueryData(keys.run("@last"), run(500, "e1"));
    client.setQueryData(keys.artifacts("@last"), [{ name: "old" }]);
    client.setQueryData(keys.run("other"), { ...run(7, "e1"), id: "other" });
    stop = follow(run(500, "e1"), { onEvents: () => {}, onReset });
  });

  afterEach(async () => {
    stop();
    await vi.advanceTimersByTimeAsync(5000);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("forgets everything it knew of a log that was replaced, and reads anew", async () => {
    takeFrames([reset]);
    await vi.advanceTimersByTimeAsync(10);

    expect(client.getQueryData<Run>(keys.run("r1"))?.head).toBe(9);
    expect(client.getQueryData<Run>(keys.run("@last"))?.epoch).toBe("e2");
    expect(client.getQueryData(keys.artifacts("@last"))).toBeUndefined();
    expect(client.getQueryData<Run>(keys.run("other"))?.head).toBe(7);
    expect(onReset).toHaveBeenCalledOnce();
    expect(readLosses().get("r1")).toEqual({ kind: "reset", reason: "the database was replaced" });
  });

  it("reads anew as soon as the server can be reached", async () => {
    answers = Array.from({ length: 4 }, () => () => new Response(null, { status: 503 }));
    takeFrames([reset]);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(client.getQueryData<Run>(keys.run("r1"))?.head).toBe(9);
    expect(onReset).toHaveBeenCalledOnce();
  });

  it("asks for what is missing until the server is back, without further news", async () => {
    const page = { events: [{ ...EVENT, seq: 501 }], head: 501, epoch: "e1" };
    answers = [() => new Response(null, { status: 503 }), () => Response.json(page)];
    standsAt("r1", 501);
    await vi.advanceTimersByTimeAsync(10_000);

    expect(client.getQueryData<Run>(keys.run("r1"))?.head).toBe(501);
  });

  it("says which events are gone until it is no longer followed", async () => {
    takeFrames([{ type: "gap", run_id: "r1", data: { from: 501, to: 800, reason: "trimmed" } }]);
    await vi.advanceTimersByTimeAsync(10);
    const told = readLosses().get("r1");
    stop();
    await vi.advanceTimersByTimeAsync(5000);

    expect(told).toEqual({ kind: "gap", from: 501, to: 800 });
    expect(readLosses().has("r1")).toBe(false);
  });
});

const EVENT = { run_id: "r1", type: "log", time: "t", data: { level: "info", source: "job", text: "" } };
const run = (head: number, epoch: string): Run => ({ id: "r1", head, epoch }) as Run;
