import { act, screen } from "@testing-library/react";
import { aRun } from "@/components/run/fixtures";
import { show } from "@/components/run/stage";
import { RunningBadge } from "@/components/shell/NavLinks";
import { ring } from "@/components/shell/ring";
import { noticeOf } from "@/components/shell/useFleetNotices";
import { changeSettings } from "@/lib/settings";
import { fleet } from "@/live/fleet";

const running = aRun({ active_seconds: 154 });
const told = (changes: Parameters<typeof aRun>[0]) => noticeOf(running, { ...running, ...changes });

describe("a notice", () => {
  // rows: S1.47 S2.68 S2.97 S4.60 S4.62
  test("tells of every end and of a run that stands still, in its colour", () => {
    const failure = { message: "No key.", reason: "crash", hint: null } as never;

    expect(told({ status: "completed" })).toMatchObject({
      level: "success",
      text: "prompt-tuning-oct completed after 2m 34s.",
    });
    expect(told({ status: "failed", failure })).toMatchObject({ level: "error", detail: "No key." });
    expect(told({ status: "cancelled" })).toMatchObject({ level: "info" });
    expect(told({ stuck: true, stuck_cause: "idle" })).toMatchObject({ level: "error", detail: "Idle." });
  });

  test("is told once", () => {
    expect(told({})).toBeNull();
    expect(noticeOf(aRun({ status: "completed" }), aRun({ status: "completed" }))).toBeNull();
  });
});

describe("the sound", () => {
  let notes: number[];

  beforeEach(() => {
    vi.useFakeTimers();
    notes = [];
    const gain = { connect() {}, gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} } };
    class FakeAudio {
      currentTime = 0;
      createGain = () => gain;
      createOscillator = () => ({
        type: "",
        frequency: {
          set value(pitch: number) {
            notes.push(pitch);
          },
        },
        connect() {},
        start() {},
        stop() {},
      });
      close = async () => {};
    }
    vi.stubGlobal("AudioContext", FakeAudio);
  });
  afterEach(() => {
    changeSettings({ sound: false });
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  // rows: S2.70
  test("is silent until it is switched on", () => {
    ring({ ...running, status: "completed" });

    expect(notes).toEqual([]);
  });

  // rows: S1.91 S2.69 S2.96
  test("rises for a success and falls for a failure", () => {
    changeSettings({ sound: true });
    ring({ ...running, status: "completed" });
    const [low = 0, high = 0] = notes;
    vi.advanceTimersByTime(6000);
    ring({ ...running, status: "failed" });
    const [, , first = 0, second = 0] = notes;

    expect(high).toBeGreaterThan(low);
    expect(second).toBeLessThan(first);
  });
});

// rows: S2.47 S2.98
test("the badge in the navigation counts the runs that go on", async () => {
  show(<RunningBadge />);
  const header = (id: string, changes = {}) => ({ type: "run" as const, data: aRun({ id, ...changes }) });

  act(() => fleet.take([header("x1"), header("x2"), header("x3")]));
  expect(await screen.findByText("3 running")).toBeInTheDocument();

  act(() => fleet.take([header("x1", { status: "completed", head: 11 })]));
  expect(screen.getByText("2 running")).toBeInTheDocument();
});
