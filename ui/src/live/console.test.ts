import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "@/api/types";
import { tellConnection, tellFrames } from "@/live/console";
import type { Connection } from "@/live/types";

const LIVE: Connection = { state: "live", retryAt: null, tries: 0, freshAt: null, behind: 0 };

describe("the browser's console", () => {
  const loud = ["log", "info", "warn", "error"] as const;
  let lines: string[];
  let others: ReturnType<typeof vi.spyOn>[];

  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    vi.spyOn(console, "debug").mockImplementation((line) => lines.push(line));
    others = loud.map((level) => vi.spyOn(console, level));
  });

  afterEach(() => {
    for (const other of others) expect(other).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  // rows: S4.47 S4.74 S4.78
  it("is told of connections, losses and tries at debug level and at no other", () => {
    tellConnection(LIVE);
    tellConnection({ ...LIVE, state: "reconnecting", retryAt: Date.now() + 1250, tries: 1 });
    tellConnection({ ...LIVE, state: "catching-up", behind: 12 });

    expect(lines).toEqual([
      "[pilothouse] live",
      "[pilothouse] reconnecting, try 1 in 1250 ms",
      "[pilothouse] catching up, 12 events to go",
    ]);
  });

  // rows: S4.78
  it("is told of a batch of news in one line for each run", () => {
    const event = (run_id: string, type: string) => ({ run_id, type, seq: 1, time: "", data: {} });
    const hello = { type: "hello", data: { epoch: "e1", server_time: "" } };
    tellFrames([
      hello,
      event("r1", "log"),
      event("r2", "metric"),
      event("r1", "log"),
      event("r1", "item.finished"),
    ] as unknown as Frame[]);

    expect(lines).toEqual([
      "[pilothouse] server: hello",
      "[pilothouse] r1: 2 × log, item.finished",
      "[pilothouse] r2: metric",
    ]);
  });
});
