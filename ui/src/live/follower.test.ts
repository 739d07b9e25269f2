import { describe, expect, it, vi } from "vitest";
import type { EventsPage, RunEvent } from "@/api/types";
import { Follower } from "@/live/follower";

const event = (seq: number) =>
  ({ run_id: "r1", seq, type: "log", time: "", data: {} }) as unknown as RunEvent;
const span = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index));

function following(head: number, log: RunEvent[], newHead = 0) {
  const heard: number[] = [];
  const load = vi.fn(async (after: number): Promise<EventsPage> => {
    return { events: log.filter(({ seq }) => seq > after), head: log.length, epoch: "e1" };
  });
  const onReset = vi.fn();
  const follower = new Follower(head, {
    load,
    reload: async () => newHead,
    onEvents: (events) => heard.push(...events.map(({ seq }) => seq)),
  });
  follower.watches.add({ onEvents: () => {}, onReset });
  return { follower, heard, load, onReset };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("a follower", () => {
  it("hands on doubled and shuffled events once and in order", () => {
    const { follower, heard, load } = following(2, []);

    follower.offer([event(4), event(3)]);
    follower.offer([event(3), event(4), event(5)]);

    expect(heard).toEqual([3, 4, 5]);
    expect(load).not.toHaveBeenCalled();
  });

  it("fetches what is missing before it goes on", async () => {
    const { follower, heard } = following(2, span(1, 9));

    follower.offer([event(8)]);
    follower.offer([event(9)]);
    await settle();

    expect(heard).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it("catches up with a stream that stands further on", async () => {
    const { follower, heard } = following(2, span(1, 4));

    follower.reaches(4);
    await settle();

    expect(heard).toEqual([3, 4]);
  });

  it("loads the run anew, once, when what is missing is gone from the server", async () => {
    const gone: EventsPage[] = [];
    const reload = vi.fn(async () => 9);
    const gap = { from: 3, to: 7, reason: "trimmed" };
    const follower = new Follower(2, {
      load: async () => ({ events: span(8, 9), head: 9, epoch: "e1", gap }),
      reload,
      onLoss: (page) => gone.push(page),
      onEvents: () => {},
    });

    follower.offer([event(9)]);
    await settle();
    await Promise.all([follower.reset(), follower.reset()]);

    expect(gone.map((page) => page.gap)).toEqual([gap]);
    expect(follower.head).toBe(9);
    expect(reload).toHaveBeenCalledTimes(2);
  });

  it("keeps what comes of a new log while the run is loaded anew", async () => {
    const { follower, heard } = following(500, [], 2);

    const reset = follower.reset();
    follower.offer([event(2), event(3)]);
    await reset;

    expect(heard).toEqual([3]);
  });

  it("hands on nothing of an old log that comes after its end", async () => {
    const { follower, heard } = following(2, span(1, 8), 1);

    follower.offer([event(8)]);
    await follower.reset();
    await settle();

    expect(heard).toEqual([]);
    expect(follower.head).toBe(1);
  });

  it("says that a run is gone when it cannot be loaded anew", async () => {
    const onGone = vi.fn();
    const reload = async () => {
      throw new Error("no such run");
    };
    const load = async () => ({ events: [], head: 0, epoch: "e1" });
    const follower = new Follower(2, { load, reload, onGone, onEvents: () => {} });

    follower.offer([event(9000)]);
    await settle();

    expect(onGone).toHaveBeenCalledOnce();
  });

  it("loads the run anew when too much went by", async () => {
    const { follower, heard, load, onReset } = following(2, [], 9000);

    follower.offer([event(9000)]);
    await settle();
    follower.offer([event(9001)]);

    expect(load).not.toHaveBeenCalled();
    expect(onReset).toHaveBeenCalledOnce();
    expect(heard).toEqual([9001]);
  });
});
