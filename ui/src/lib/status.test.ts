import type { RunHeader } from "@/api/types";
import { previewWords } from "@/lib/preview";
import {
  inHandWords,
  statusWords,
  stuckSentence,
  survivorWords,
  waitingSentence,
  waitLeft,
  within,
} from "@/lib/status";

const NOW = new Date(2026, 0, 31, 16, 30).getTime();
const at = (hours: number, minutes: number, day = 31) => new Date(2026, 0, day, hours, minutes).toISOString();
const run = (changes: Partial<RunHeader>) =>
  ({
    status: "running",
    pending: null,
    stuck: false,
    attempt: 1,
    strength: null,
    paused_by: null,
    reason: null,
    until: null,
    wait_seconds: 0,
    survivors: null,
    notice: null,
    ended_by: null,
    last_event_at: new Date(NOW).toISOString(),
    ...changes,
  }) as RunHeader;
const words = (changes: Partial<RunHeader>, stuckFor: number | null = null) =>
  statusWords(run(changes), { unit: "test" }, NOW, stuckFor);

test.each<[string, Partial<RunHeader>]>([
  ["Pausing after current test…", { pending: "pause" }],
  ["Freeing memory…", { status: "paused", pending: "pause", paused_by: "ana" }],
  ["Paused by ana", { status: "paused", strength: "hold", paused_by: "ana" }],
  ["Paused", { status: "paused", strength: "hold" }],
  ["Paused, memory freed", { status: "paused", strength: "release" }],
  ["Paused by ana", { status: "paused", strength: "release", paused_by: "ana", attempt: 0 }],
  [
    "Paused by ana: budget · resumes at 16:40",
    { status: "paused", strength: "hold", paused_by: "ana", reason: "budget", until: at(16, 40) },
  ],
  [
    "Paused by ana: budget · memory freed · resumes at 16:40",
    { status: "paused", strength: "release", paused_by: "ana", reason: "budget", until: at(16, 40) },
  ],
  [
    "Paused by ana, memory freed · resumes tomorrow 09:00",
    { status: "paused", strength: "release", paused_by: "ana", until: new Date(2026, 1, 1, 9).toISOString() },
  ],
  ["Paused · resumes now", { status: "paused", strength: "hold", until: at(16, 29) }],
  ["Resuming…", { status: "queued" }],
  ["Resumes in 2 s after a crash (signal 9)", { status: "queued", wait_seconds: 2, notice: "signal 9" }],
  ["Cancelled by ana: wrong model", { status: "cancelled", ended_by: "ana", reason: "wrong model" }],
  ["Cancelled by ana", { status: "cancelled", ended_by: "ana" }],
])("%s", (expected, changes) => {
  expect(words(changes)).toBe(expected);
});

test("the plain word stands where nothing more is known", () => {
  expect(words({})).toBeUndefined();
  expect(words({ status: "queued", attempt: 0 })).toBeUndefined();
  expect(words({ pending: "cancel" })).toBeUndefined();
});

test("a stuck run says for how long", () => {
  expect(words({ stuck: true }, 245)).toBe("Stuck 4m");
  expect(words({ stuck: true }, 40)).toBe("Stuck 40 s");
  expect(words({ stuck: true })).toBeUndefined();
});

test("a back-off that is over is a plain resume", () => {
  const late = {
    status: "queued" as const,
    wait_seconds: 2,
    last_event_at: new Date(NOW - 5000).toISOString(),
  };

  expect(words(late)).toBe("Resuming…");
  expect(waitLeft(run(late), NOW)).toBe(0);
});

test("what will not die is counted, and only while the cancel is pending", () => {
  expect(survivorWords(run({ pending: "cancel", survivors: 2 }))).toBe(
    "2 processes do not die. The run stays “Cancelling…” until they are gone.",
  );
  expect(survivorWords(run({ pending: "cancel", survivors: 1 }))).toBe(
    "1 process does not die. The run stays “Cancelling…” until it is gone.",
  );
  expect(survivorWords(run({ pending: "cancel" }))).toBeNull();
});

test("the cause of a stuck run is a sentence, and an idle process points at the model", () => {
  expect(stuckSentence("the process is alive and idle (0% of a core)", { unit: "test" })).toBe(
    "no test, metric or phase. The process is alive and idle (0% of a core); a call to a model may hang.",
  );
  expect(stuckSentence("its host has not been heard of for 40 s", { unit: "test" })).toBe(
    "no test, metric or phase. Its host has not been heard of for 40 s.",
  );
  expect(stuckSentence(null, { unit: "test" })).toBe("no test, metric or phase.");
});

test("a queued run says why nobody takes it", () => {
  expect(waitingSentence("waiting for a host: none is connected")).toBe(
    "Waits for a host: none is connected.",
  );
});

test("a preview leaves out what is unknown", () => {
  expect(previewWords({ kept: 210, repeated: 1, left: 289, seconds: 240, cost: 0.12 }, "test")).toBe(
    "210 kept · 1 repeated · 289 left · about 4 min · about $0.12",
  );
  expect(previewWords({ kept: 40, repeated: 15, left: 45, total: 1100 }, "step")).toBe(
    "continues at step 41 of 1,100 · 15 repeated · 45 left",
  );
  expect(previewWords({ kept: 3, repeated: 0, left: null, seconds: null, cost: null }, "test")).toBe(
    "3 kept · the rest left",
  );
});

test("items in hand are counted in the kind's words", () => {
  expect(inHandWords(["a"], "test", "tests")).toBe("1 test was in hand");
  expect(inHandWords(["a", "b"], "test", "tests")).toBe("2 tests were in hand");
});

test("a label within a sentence keeps its abbreviations, and does not say its goal", () => {
  expect(["Kept", "KS mean", "MIA AUC", "Score, low is good"].map(within)).toEqual([
    "kept",
    "KS mean",
    "MIA AUC",
    "score",
  ]);
});
