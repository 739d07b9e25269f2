import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunHeader } from "@/api/types";
import { ask, askedOf, seen, withAsked } from "@/live/asked";
import { onNotice } from "@/live/notices";

let next = 0;
const aRun = (head = 10): RunHeader =>
  ({ id: `run-${next}`, name: "oct", head, status: "running", pending: null }) as RunHeader;
const accepted = (run: RunHeader, event_seq: number) =>
  Response.json(
    { run_id: run.id, status: "running", pending: "pause", changed: true, event_seq },
    { status: 202 },
  );

describe("what was asked", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    next += 1;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  // rows: S2.92 S3.94
  it("shows at once and gives way to the log when that has told of it", async () => {
    const run = aRun();
    vi.stubGlobal("fetch", async () => accepted(run, 11));

    const asking = ask(run.id, "pause");
    expect(withAsked(run).pending).toBe("pause");
    await asking;
    expect(withAsked(run).pending).toBe("pause");

    seen({ ...run, head: 11, pending: "pause" });
    expect(askedOf(run.id)).toBeNull();
  });

  it("gives way too when the stream was faster than the answer", async () => {
    const run = aRun(11);
    vi.stubGlobal("fetch", async () => {
      seen(run);
      return accepted(run, 11);
    });

    await ask(run.id, "pause");

    expect(askedOf(run.id)).toBeNull();
  });

  // rows: S3.96
  it("is taken back when refused, with the server's reason, and the run is left as it is", async () => {
    const run = aRun();
    const told: string[] = [];
    const stop = onNotice(({ text, detail }) => told.push(`${text} ${detail}`));
    const error = { code: "already_finished", message: "The run had already finished." };
    vi.stubGlobal("fetch", async () => Response.json({ error }, { status: 409 }));

    expect(await ask(run.id, "pause", { name: run.name })).toBe(false);
    stop();

    expect(withAsked(run)).toBe(run);
    expect(told).toEqual(["Could not pause oct. The run had already finished."]);
  });

  // rows: S4.68
  it("is slow after two seconds and given up after ten", async () => {
    const run = aRun();
    vi.stubGlobal("fetch", () => new Promise(() => {}));
    void ask(run.id, "cancel");

    await vi.advanceTimersByTimeAsync(2000);
    expect(askedOf(run.id)?.stage).toBe("slow");

    await vi.advanceTimersByTimeAsync(8000);
    expect(withAsked(run).pending).toBeNull();
  });
});
