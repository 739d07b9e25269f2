import type { RunEvent } from "@/api/types";
import { deedOf } from "@/lib/analysis/deeds";
import { feedTypes, toFeed } from "@/lib/analysis/feedWords";

const event = (type: string, data: object) =>
  ({ run_id: "r", seq: 1, time: "2026-01-31T09:30:00.000Z", type, data }) as RunEvent;
const line = (type: string, data: object) => {
  const said = toFeed(event(type, data), { unit: "test", units: "tests" });
  return said && [said.text, said.detail];
};

test("an interruption tells what was in hand and when it goes on", () => {
  const crash = { reason: "signal 9", crash: true, in_flight: ["a", "b"], wait_seconds: 2 };

  expect(line("run.interrupted", crash)).toEqual([
    "Interrupted: signal 9. 2 tests were in hand and will be done again.",
    "The next attempt comes in 2 s.",
  ]);
  expect(line("run.interrupted", { ...crash, in_flight: [], wait_seconds: 0 })).toEqual([
    "Interrupted: signal 9.",
    "It goes on by itself.",
  ]);
});

test("phases are lines, unless every item goes through them", () => {
  expect(feedTypes({})).toContain("phase.started");
  expect(feedTypes({ phases_of_items: true })).not.toContain("phase.started");
  expect(feedTypes({ phases_of_items: true })).toContain("note");
});

test("a pause tells its reason, its strength and its end", () => {
  const pause = { strength: "release", actor: "ana", unclean: false, reason: "budget", until: null };

  expect(line("run.paused", pause)).toEqual(["Paused by ana", "budget · memory freed"]);
  expect(line("run.paused", { ...pause, reason: null, strength: "hold" })).toEqual([
    "Paused by ana",
    undefined,
  ]);
});

test("a cancel tells its reason, and that nobody saw the processes end", () => {
  const cancel = { by: "ana", confirmed_dead: true, partial: true, reason: "wrong model" };

  expect(line("run.cancelled", cancel)).toEqual(["Cancelled by ana", "wrong model"]);
  expect(line("run.cancelled", { ...cancel, reason: null, confirmed_dead: false })).toEqual([
    "Cancelled by ana",
    "nobody saw its processes end",
  ]);
});

test("what does not move or die is counted, not softened", () => {
  expect(line("run.stuck", { seconds: 185, cause: "the process is alive and idle (0% of a core)" })).toEqual([
    "Stuck: no test for 3m 05s",
    "the process is alive and idle (0% of a core)",
  ]);
  expect(line("run.cancel_overdue", { survivors: 2 })?.[0]).toBe("2 processes do not die");
  expect(line("run.cancel_overdue", { survivors: 1 })).toEqual([
    "1 process does not die",
    "The run stays “Cancelling…” until it is gone.",
  ]);
});

test("what was asked for is told whole", () => {
  const asked = { control: "pause", actor: "ana", strength: "release", force: false, until: null };

  expect(deedOf(event("control.requested", { ...asked, reason: "lunch" }))).toEqual({
    who: "ana",
    did: "asked to pause it and free its memory",
    why: "lunch",
  });
  const tomorrow = { ...asked, strength: "hold", until: "2026-02-01T12:00:00.000Z" };
  expect(deedOf(event("control.requested", tomorrow)).did).toMatch(/^asked to pause it until 2026-02-01 /);
  expect(deedOf(event("control.requested", { ...asked, control: "cancel", force: true })).did).toBe(
    "asked to stop it by force",
  );
  expect(deedOf(event("run.cancelled", { by: "ana", reason: "wrong model" }))).toMatchObject({
    did: "cancelled",
    why: "wrong model",
  });
});

test("a try to tell somebody elsewhere is told by its outcome", () => {
  const told = { channel: "e-mail", address: "ann@lab.example", round: 1, by: "s", detail: null };

  expect(line("run.notified", { ...told, state: "sending" })).toBeNull();
  expect(line("run.notified", { ...told, state: "sent" })).toEqual(["Told by e-mail", "ann@lab.example"]);
  expect(line("run.notified", { ...told, state: "failed", detail: "It is away." })).toEqual([
    "Nobody was told by e-mail",
    "It is away.",
  ]);
});
