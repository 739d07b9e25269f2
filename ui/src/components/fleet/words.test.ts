import { ordinal, placeInLine, placeWords, stepWords } from "@/components/fleet/words";
import { A_KIND, aRun } from "@/components/run/fixtures";

const phase = { name: "Training", index: 3, of: 8 };

test("a card says the step and what is in hand", () => {
  expect(placeWords(aRun({ phase }), A_KIND)).toBe("Step 3 of 8: Training · Test 201 of 500: a × b");
  expect(placeWords(aRun({ phase, current: null }), A_KIND)).toBe("Step 3 of 8: Training");
  expect(placeWords(aRun({ current: null, notice: "429: waits" }), A_KIND)).toBe("429: waits");
});

test("the only step needs no number, and a run that stands still is at none", () => {
  expect(stepWords(aRun({ phase: { ...phase, index: 1, of: 1 } }))).toBeNull();
  expect(stepWords(aRun({ phase: { name: "Ask", index: null, of: null } }))).toBe("Ask");
  expect(stepWords(aRun({ phase, status: "paused" }))).toBeNull();
});

test("a queued run knows its place: by priority, then by age", () => {
  const queued = (number: number, priority = 0) =>
    aRun({ status: "queued", id: `${number}`, number, priority });
  const [first, second, urgent] = [queued(3), queued(4), queued(5, 1)] as const;
  const runs = [second, first, aRun({ number: 1 }), urgent];

  expect([urgent, first, second].map((run) => placeInLine(run, runs))).toEqual([1, 2, 3]);
  expect(placeInLine(aRun(), runs)).toBeNull();
  expect([1, 2, 3, 4, 11, 12, 21, 113].map(ordinal)).toEqual([
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "21st",
    "113th",
  ]);
});
