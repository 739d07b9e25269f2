import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame, RunHeader } from "@/api/types";
import type { LinkEars, Place, StreamLink } from "@/live/link";
import type { ToTab } from "@/live/messages";
import { Switchboard } from "@/live/switchboard";

const header = (id: string): Frame => ({ type: "run", run_id: id, data: { id, head: 1 } as RunHeader });
const event = (id: string, seq: number) =>
  ({ run_id: id, seq, type: "log", time: "", data: {} }) as unknown as Frame;
const hello: Frame = { type: "hello", data: { epoch: "e1", server_time: "2026-01-31T09:30:00.125Z" } };

function aTab() {
  const heard: ToTab[] = [];
  const frames = () => heard.flatMap((message) => ("frames" in message ? message.frames : []));
  return { heard, frames, send: (message: ToTab) => heard.push(message) };
}

describe("the switchboard", () => {
  let ears: LinkEars;
  let board: Switchboard;
  const places = new Map<string, Place>();
  const link = {
    places,
    connection: { state: "live", retryAt: null, tries: 0, freshAt: null, behind: 0 },
    open: vi.fn(),
    tryNow: vi.fn(),
    watch: (id: string, place: Place) => places.has(id) || places.set(id, place),
    unwatch: (id: string) => places.delete(id),
  };

  beforeEach(() => {
    vi.useFakeTimers();
    places.clear();
    link.open.mockClear();
    board = new Switchboard((given) => {
      ears = given;
      return link as unknown as StreamLink;
    });
    return () => vi.useRealTimers();
  });

  it("gives every tab the headers, and events only to those that watch", () => {
    const [one, other] = [aTab(), aTab()];
    board.join(one);
    board.join(other);
    board.hear(one, { do: "watch", id: "r1", place: { seq: 4, epoch: null } });

    ears.onFrames([hello, header("r1"), header("r2"), event("r1", 5)]);
    vi.advanceTimersByTime(50);

    expect(one.frames()).toEqual([hello, header("r1"), header("r2"), event("r1", 5)]);
    expect(other.frames()).toEqual([hello, header("r1"), header("r2")]);
    expect(link.open).toHaveBeenCalledOnce();
  });

  it("tells a late tab all headers, and where the stream stands in the run that it watches", () => {
    board.join(aTab());
    ears.onFrames([hello, header("r1")]);
    vi.advanceTimersByTime(50);
    places.set("r1", { seq: 9, epoch: null });
    vi.advanceTimersByTime(2000);

    const late = aTab();
    board.join(late);
    board.hear(late, { do: "watch", id: "r1", place: { seq: 4, epoch: null } });

    expect(late.frames()).toEqual([
      { ...hello, data: { epoch: "e1", server_time: "2026-01-31T09:30:02.175Z" } },
      { type: "run", data: { id: "r1", head: 1 } },
    ]);
    expect(late.heard).toContainEqual({ at: { id: "r1", seq: 9 } });
  });

  it("keeps a run watched until the last tab that wants it has left", () => {
    const [one, other] = [aTab(), aTab()];
    for (const tab of [one, other]) {
      board.join(tab);
      board.hear(tab, { do: "watch", id: "r1", place: { seq: 0, epoch: null } });
    }

    board.hear(one, { do: "leave" });
    expect(places.has("r1")).toBe(true);

    board.hear(other, { do: "unwatch", id: "r1" });
    expect(places.has("r1")).toBe(false);
  });
});
