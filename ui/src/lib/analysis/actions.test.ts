import type { Run } from "@/api/types";
import { offers } from "@/lib/analysis/actions";

const calm = { offline: null, pendingSeconds: 0, unit: "test" };
const labels = (run: Partial<Run>, changes = {}) =>
  offers({ status: "running", pending: null, request: null, ...run } as Run, { ...calm, ...changes }).map(
    ({ label, blocked }) => (blocked === null ? label : `(${label})`),
  );

test.each([
  [{ status: "queued" }, ["Cancel"]],
  [{ status: "running" }, ["Pause", "Cancel"]],
  [{ status: "running", pending: "pause" }, ["(Pausing after current test…)", "Undo pause", "Cancel"]],
  [{ status: "paused" }, ["Resume", "Cancel"]],
  [{ status: "running", pending: "cancel" }, ["(Cancelling…)"]],
  [{ status: "failed" }, ["Retry"]],
  [{ status: "completed" }, ["Run again"]],
] as [Partial<Run>, string[]][])("%o offers %o", (run, expected) => {
  expect(labels(run)).toEqual(expected);
});

test("a cancel that takes 15 seconds can be forced, once", () => {
  const request = { force: false } as Run["request"];
  const forced = { force: true } as Run["request"];

  expect(labels({ pending: "cancel", request }, { pendingSeconds: 15 })).toEqual(["Force stop"]);
  expect(labels({ pending: "cancel", request: forced }, { pendingSeconds: 15 })).toEqual(["(Cancelling…)"]);
});

test("without the server every button stays and says why", () => {
  const [pause] = offers({ status: "running", pending: null } as Run, { ...calm, offline: "No server." });

  expect(pause?.blocked).toBe("No server.");
});
