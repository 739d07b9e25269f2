import { arrange, EVERYTHING } from "@/lib/analysis/arrange";
import { collapse, merge } from "@/lib/analysis/feed";
import { aRow } from "@/lib/analysis/fixtures";
import { follow } from "@/lib/analysis/follow";
import { heldRows, hold, isHolding } from "@/lib/analysis/hold";

const STILL = { isScrolled: false, isRowOpen: false, isRowFocused: false, isSorted: false, isFrozen: false };

describe("hold", () => {
  test.each(["isScrolled", "isRowOpen", "isRowFocused", "isSorted", "isFrozen"] as const)(
    "%s holds",
    (reason) => {
      expect(isHolding(STILL)).toBe(false);
      expect(isHolding({ ...STILL, [reason]: true })).toBe(true);
    },
  );

  test("new rows wait and are counted", () => {
    const held = hold([aRow(2), aRow(1)]);

    const { rows, waiting } = heldRows([aRow(4), aRow(3), aRow(2), aRow(1)], held);

    expect(rows.map((row) => row.seq)).toEqual([2, 1]);
    expect(waiting).toBe(2);
  });

  test("a known row that was repeated is patched in its place", () => {
    const held = hold([aRow(3), aRow(2), aRow(1)]);
    const repeated = aRow(9, { fresh: true }, { key: "k2" });

    const { rows, waiting } = heldRows([repeated, aRow(3), aRow(1)], held);

    expect(rows.map((row) => row.key)).toEqual(["k3", "k2", "k1"]);
    expect(rows[1]?.data).toEqual({ fresh: true });
    expect(waiting).toBe(0);
  });

  test("older rows that load late go to the far end", () => {
    const held = hold([aRow(9), aRow(8)]);

    const { rows, waiting } = heldRows([aRow(10), aRow(9), aRow(8), aRow(2)], held);

    expect(rows.map((row) => row.seq)).toEqual([9, 8, 2]);
    expect(waiting).toBe(1);
  });

  test("without a hold everything shows", () => {
    expect(heldRows([aRow(1)], null)).toEqual({ rows: [aRow(1)], waiting: 0 });
  });
});

describe("follow", () => {
  test("any upward move stops at once, however near the end", () => {
    expect(follow(true, { type: "wheel", deltaY: -1 })).toBe(false);
    expect(follow(true, { type: "touch", deltaY: 3 })).toBe(false);
    expect(follow(true, { type: "drag", deltaY: -2 })).toBe(false);
    expect(follow(true, { type: "select" })).toBe(false);
    for (const key of ["PageUp", "Home", "ArrowUp", "k"]) {
      expect(follow(true, { type: "key", key })).toBe(false);
    }
  });

  test("a downward move changes nothing until the end is reached", () => {
    expect(follow(false, { type: "wheel", deltaY: 50 })).toBe(false);
    expect(follow(false, { type: "place", toEnd: 100 })).toBe(false);
    expect(follow(false, { type: "place", toEnd: 4 })).toBe(true);
    expect(follow(true, { type: "place", toEnd: 100 })).toBe(true);
  });

  test("End, G and the button start it again", () => {
    expect(follow(false, { type: "key", key: "End" })).toBe(true);
    expect(follow(false, { type: "key", key: "G" })).toBe(true);
    expect(follow(false, { type: "ask", follow: true })).toBe(true);
  });
});

describe("feed", () => {
  const error = (seq: number, text = "429") => ({ seq, type: "error" as const, text, time: `t${seq}` });

  test("repeats are one line that says the latest time", () => {
    const lines = collapse([error(1), error(2), error(3), error(4, "500")]);

    expect(lines.map((line) => [line.text, line.count, line.time, line.firstSeq])).toEqual([
      ["429", 3, "t3", 1],
      ["500", 1, "t4", 4],
    ]);
  });

  test("lists merge in order, and what is in both comes once", () => {
    expect(merge([error(1), error(4)], [error(2), error(4)]).map((event) => event.seq)).toEqual([1, 2, 4]);
  });
});

describe("arrange", () => {
  const items = [
    aRow(3, { model: "b", ms: null, correct: true }),
    aRow(2, { model: "a", ms: 20, correct: false }),
    aRow(1, { model: "a", ms: 10, correct: true }, { state: "failed", error: "429 Too Many Requests" }),
  ];
  const seqs = (changes: object) => arrange(items, { ...EVERYTHING, ...changes }).map((row) => row.seq);

  test("empty values come last in both directions", () => {
    expect(seqs({ sort: { field: "ms", descending: false } })).toEqual([1, 2, 3]);
    expect(seqs({ sort: { field: "ms", descending: true } })).toEqual([2, 1, 3]);
  });

  test("conditions and text narrow down", () => {
    expect(seqs({ conditions: [{ field: "model", value: "a" }] })).toEqual([2, 1]);
    expect(seqs({ conditions: [{ field: "state", value: "failed" }] })).toEqual([1]);
    expect(seqs({ text: "too many" })).toEqual([1]);
  });

  test("an item in error is among the misses and not among the hits", () => {
    expect(seqs({ conditions: [{ field: "correct", value: "false" }] })).toEqual([2, 1]);
    expect(seqs({ conditions: [{ field: "correct", value: "true" }] })).toEqual([3]);
  });
});
