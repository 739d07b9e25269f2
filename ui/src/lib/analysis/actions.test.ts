import type { Run } from "@/api/types";
import { offers } from "@/lib/analysis/actions";

const calm = { offline: null, pendingSeconds: 0, unit: "test", canRelease: true };
const labels = (run: Partial<Run>, changes = {}) =>
  offers({ status: "running", pending: null, request: null, survivors: null, ...run } as Run, {
    ...calm,
    ...changes,
  }).map(({ label, blocked }) => (blocked === null ? label : `(${label})`));

test.each([
  [{ status: "queued" }, ["Pause", "Cancel"]],
  [{ status: "running" }, ["Pause", "Cancel"]],
  [{ status: "running", pending: "pause" }, ["(Pausing after current test…)", "Undo pause", "Cancel"]],
  [{ status: "paused", strength: "release" }, ["Resume", "Cancel"]],
  [{ status: "paused", strength: "hold" }, ["Resume", "Free memory", "Cancel"]],
  [{ status: "paused", strength: "hold", pending: "pause" }, ["Resume", "(Freeing memory…)", "Cancel"]],
  [{ status: "running", pending: "cancel" }, ["(Cancelling…)"]],
  [{ status: "failed" }, ["Retry"]],
  [{ status: "completed" }, ["Run again"]],
  [{ status: "failed", attached: true }, ["(Retry)"]],
] as [Partial<Run>, string[]][])("%o offers %o", (run, expected) => {
  expect(labels(run)).toEqual(expected);
});

test("a cancel that takes 15 seconds can be forced, once", () => {
  const request = { force: false } as Run["request"];
  const forced = { force: true } as Run["request"];

  expect(labels({ pending: "cancel", request }, { pendingSeconds: 15 })).toEqual(["Force stop"]);
  expect(labels({ pending: "cancel", request: forced }, { pendingSeconds: 15 })).toEqual(["(Cancelling…)"]);
});

test("processes that do not die may be ended by force at once", () => {
  const request = { force: false } as Run["request"];

  expect(labels({ pending: "cancel", request, survivors: 2 }, { pendingSeconds: 3 })).toEqual(["Force stop"]);
});

test("a job that cannot leave is not asked to free its memory", () => {
  expect(labels({ status: "paused", strength: "hold" }, { canRelease: false })).toEqual(["Resume", "Cancel"]);
});

test("without the server every button stays and says why", () => {
  const [pause] = offers({ status: "running", pending: null } as Run, { ...calm, offline: "No server." });

  expect(pause?.blocked).toBe("No server.");
});
