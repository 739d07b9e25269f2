import { breakdown } from "@/lib/analysis/breakdown";
import { confusion, f1Of, NONE, pairKey } from "@/lib/analysis/confusion";
import { distribution, quantile } from "@/lib/analysis/distribution";
import { aRow, rows } from "@/lib/analysis/fixtures";
import { cellKey, heatmap } from "@/lib/analysis/heatmap";
import { align, sentence, thin } from "@/lib/analysis/series";
import { strip } from "@/lib/analysis/strip";

describe("heatmap", () => {
  const fields = { rows: "model", columns: "prompt", value: "correct" };

  // rows: S1.86 S1.87
  test("an error counts as not correct and is also counted apart", () => {
    const items = [
      aRow(1, { model: "a", prompt: "v1", correct: true }),
      aRow(2, { model: "a", prompt: "v1", correct: true }, { state: "failed" }),
      aRow(3, { model: "b", prompt: "v1" }, { state: "in_flight" }),
    ];

    const map = heatmap(items, fields);

    expect(map.cells.get(cellKey("a", "v1"))).toEqual({ count: 2, hits: 1, errors: 1 });
    expect(map.rows).toEqual(["a"]);
    expect(map.total).toEqual({ count: 2, hits: 1, errors: 1 });
  });

  test("announced groups have their row before their first item", () => {
    const items = [aRow(1, { model: "b", prompt: "v10", correct: true })];

    expect(heatmap(items, fields, ["b", "a"]).rows).toEqual(["b", "a"]);
    expect(heatmap(items, fields, ["law", "tort"]).rows).toEqual(["b"]);
  });

  test("the best row is marked when it beats another", () => {
    const good = rows(3, { model: "good", prompt: "p", correct: true });
    const bad = rows(3, { model: "bad", prompt: "p", correct: false });

    expect([...heatmap([...good, ...bad], fields).best]).toEqual(["good"]);
    expect([...heatmap(good, fields).best]).toEqual([]);
  });
});

describe("confusion", () => {
  const fields = { truth: "expected", predicted: "vote", correct: "correct" };

  test("precision, recall and F1 equal those of scikit-learn", () => {
    const pairs: [string, string][] = [
      ["A", "A"],
      ["A", "A"],
      ["A", "B"],
      ["B", "B"],
      ["B", "A"],
      ["B", "B"],
      ["B", "B"],
      ["C", "B"],
      ["C", "C"],
    ];
    const items = pairs.map(([expected, vote], i) => aRow(i, { expected, vote, correct: expected === vote }));

    const { scores, macro } = confusion(items, fields);

    expect(scores.map((score) => score.precision)).toEqual([2 / 3, 3 / 5, 1]);
    expect(scores.map((score) => score.recall)).toEqual([2 / 3, 3 / 4, 1 / 2]);
    expect(macro.f1).toBeCloseTo((2 / 3 + 2 / 3 + 2 / 3) / 3, 10);
    expect(macro.support).toBe(9);
  });

  test("an unreadable answer is a miss in a column of its own, an error is neither", () => {
    const items = [
      aRow(1, { expected: "A", vote: "A", correct: true }),
      aRow(2, { expected: "A", vote: null, correct: false }),
      aRow(3, { expected: "A" }, { state: "failed" }),
    ];

    const table = confusion(items, fields);

    expect(table.predictions).toEqual(["A", NONE]);
    expect(table.counts.get(pairKey("A", NONE))).toBe(1);
    expect(table.scores[0]?.recall).toBe(0.5);
    expect([table.count, table.parsed, table.errors]).toEqual([2, 1, 1]);
  });

  test("classes that count as equal are hits off the diagonal", () => {
    const items = [aRow(1, { expected: "WEAK", vote: "FALSE", correct: true })];

    const table = confusion(items, fields);

    expect(table.scores[0]?.recall).toBe(1);
    expect(table.hits.get(pairKey("WEAK", "FALSE"))).toBe(1);
  });

  test("F1 of unknown sides", () => {
    expect(f1Of(null, null)).toBeNull();
    expect(f1Of(null, 0)).toBe(0);
    expect(f1Of(1, 1)).toBe(1);
  });
});

test("a breakdown begins with the hardest", () => {
  const items = [...rows(2, { case: "easy", ok: true }), ...rows(2, { case: "hard", ok: false })];

  expect(breakdown(items, "case", "ok", true).map((bar) => [bar.name, bar.share])).toEqual([
    ["hard", 0],
    ["easy", 1],
  ]);
});

describe("distribution", () => {
  test("quantiles are linear between neighbours", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1], 0.95)).toBe(1);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test("groups share one axis and keep every value", () => {
    const items = [1, 2, 3, 1000].map((ms, i) => aRow(i, { ms, model: ms > 2 ? "slow" : "fast" }));

    const spread = distribution(items, "ms", "model");

    expect(spread?.groups.map((group) => group.name)).toEqual(["fast", "slow"]);
    const counted = spread?.groups.flatMap((group) => group.bins.map((bin) => bin.count));
    expect(counted?.reduce((a, b) => a + b, 0)).toBe(4);
  });

  test("no numbers, no panel", () => {
    expect(distribution([aRow(1, { ms: "n/a" })], "ms", null)).toBeNull();
  });
});

describe("strip", () => {
  test("done, in hand, to do", () => {
    const cells = strip([aRow(1), aRow(2, {}, { state: "failed" })], 1, 4);

    expect(cells.map((cell) => cell.state)).toEqual(["ok", "error", "running", "waiting"]);
  });

  test("more than 400 items share cells, and an error shows through", () => {
    const items = Array.from({ length: 1000 }, (_, i) =>
      aRow(i, {}, { state: i === 500 ? "failed" : "done" }),
    );

    const cells = strip(items, 0, 1000);

    expect(cells.length).toBeLessThanOrEqual(400);
    expect(cells.filter((cell) => cell.state === "error").map((cell) => cell.key)).toEqual(["k500"]);
  });
});

describe("series", () => {
  test("thinning keeps the ends and the one spike", () => {
    const points = Array.from({ length: 100_000 }, (_, x) => [x, x === 50_000 ? 9 : 0] as const);

    const kept = thin(points, 200);

    expect(kept).toHaveLength(200);
    expect(kept[0]).toEqual([0, 0]);
    expect(kept.at(-1)).toEqual([99_999, 0]);
    expect(kept).toContainEqual([50_000, 9]);
  });

  test("series with different steps share an axis", () => {
    expect(
      align([
        [
          [1, 10],
          [3, 30],
        ],
        [[2, 20]],
      ]),
    ).toEqual([
      [1, 2, 3],
      [10, null, 30],
      [null, 20, null],
    ]);
  });

  test("a line is told in one sentence", () => {
    expect(
      sentence(
        [
          [0, 3],
          [4, 0.2],
          [5, 0.3],
        ],
        String,
      ),
    ).toBe("Fell from 3 to 0.3 up to step 5; lowest 0.2 at step 4.");
  });
});
