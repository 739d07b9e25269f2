// @vitest-environment jsdom
import { readFileSync } from "node:fs";
import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { keys } from "@/api/queries";
import type { Frame, Run, RunEvent, RunHeader } from "@/api/types";
import { ItemTable } from "@/lib/analysis/itemTable";
import { fleet } from "@/live/fleet";
import { fold } from "@/live/fold";
import { follow } from "@/live/followed";
import { startLive } from "@/live/start";

const GOLDEN = "../tests/golden/completed.jsonl";
const log: RunEvent[] = readFileSync(GOLDEN, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const KNOWN = 20;

/** A server that streams what the test says, and answers nothing else. */
class Stream {
  readonly asked: string[] = [];
  private pipe: ReadableStreamDefaultController<Uint8Array> | null = null;

  fetch = async (url: string): Promise<Response> => {
    this.asked.push(url);
    if (!url.startsWith("/api/stream")) return new Response(null, { status: 500 });
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (pipe) => {
          this.pipe = pipe;
        },
      }),
    );
  };

  write(...frames: Frame[]): void {
    const text = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("");
    this.pipe?.enqueue(new TextEncoder().encode(text));
  }
}

describe("news of a run that a page shows", () => {
  const server = new Stream();
  const client = new QueryClient();
  let stop = () => {};

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", server.fetch);
  });

  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  // rows: S4.40 S4.45 S4.48 S4.49 S4.50
  it("change the run, its rows and the list of runs, and nothing is asked for again", async () => {
    const before = log.slice(0, KNOWN).reduce<Run | null>(fold, null) as Run;
    client.setQueryData(keys.run(before.id), before);
    const table = new ItemTable();
    const heard: RunEvent[] = [];
    startLive(client);
    stop = follow(before, {
      onEvents: (events) => {
        heard.push(...events);
        for (const event of events) table.fold(event);
      },
    });
    await vi.advanceTimersByTimeAsync(20);
    const header = { id: before.id, head: log.length, status: "completed" } as RunHeader;

    server.write({ type: "run", data: header }, ...log.slice(KNOWN));
    await vi.advanceTimersByTimeAsync(100);

    const after = client.getQueryData<Run>(keys.run(before.id));
    expect(after).toEqual(log.reduce<Run | null>(fold, null));
    expect(after?.metrics).not.toEqual(before.metrics);
    expect(heard.at(-1)).toEqual(log.at(-1));
    expect(table.snapshot().finished).toHaveLength((after?.progress.done ?? 0) - before.progress.done);
    expect(fleet.runs.get(before.id)).toEqual(header);
    expect(server.asked.every((url) => url.startsWith("/api/stream"))).toBe(true);
  });

  // rows: S4.46
  it("are typed: what an event's data hold is known from its type", () => {
    type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>["data"];

    expectTypeOf<Of<"item.finished">["key"]>().toEqualTypeOf<string>();
    expectTypeOf<Of<"run.queued">>().not.toEqualTypeOf<Of<"item.finished">>();
    // @ts-expect-error: no event has such a type.
    type Unknown = Of<"experiment_started">;
    expectTypeOf<Unknown>().toBeNever();
  });
});
