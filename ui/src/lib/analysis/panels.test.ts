import type { Artifact } from "@/api/types";
import { bestSoFar } from "@/lib/analysis/bestSoFar";
import { checkpoints, stepOf, valueAt } from "@/lib/analysis/checkpoints";
import { comparable, compared } from "@/lib/analysis/comparison";
import { counts } from "@/lib/analysis/counts";
import { aRow } from "@/lib/analysis/fixtures";
import { gauge, limitWords } from "@/lib/analysis/gauge";
import { alarmOf, devices, written } from "@/lib/analysis/hardware";
import { importances } from "@/lib/analysis/importances";
import { fieldsOf, isChosenLine, nudged, parallel } from "@/lib/analysis/parallel";
import { pareto } from "@/lib/analysis/pareto";
import { linear, logarithmic, padded, ticksOf } from "@/lib/analysis/scale";
import type { SeriesMap } from "@/lib/analysis/series";
import { toneOf } from "@/lib/analysis/verdict";

/** Rows of these scores, newest first; null fails. */
const scored = (...scores: (number | null)[]) =>
  scores
    .map((score, index) => aRow(index + 1, { score }, score === null ? { state: "failed" } : {}))
    .reverse();

describe("scales", () => {
  test("ticks are round numbers within the range", () => {
    expect(ticksOf(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf(182, 279, 5)).toEqual([200, 220, 240, 260]);
    expect(ticksOf(3, 3)).toEqual([3]);
  });

  test("a place leads back to its value", () => {
    for (const scale of [linear([2, 6], [0, 100]), logarithmic([2, 600], [100, 0])])
      expect(scale.back(scale.at(5))).toBeCloseTo(5);
  });

  test("values above zero get no room below it, and one value gets room", () => {
    expect(padded([0.01, 10])[0]).toBe(0);
    expect(padded([4, 4])).toEqual([3.6, 4.4]);
    expect(padded([])).toEqual([0, 1]);
  });
});

describe("best so far", () => {
  test("each better score is a record, and a tie is none", () => {
    const study = bestSoFar(scored(4, 5, 3, null, 3, 2), "score", "min");

    expect(study.records.map(({ number, score }) => [number, score])).toEqual([
      [1, 4],
      [3, 3],
      [6, 2],
    ]);
    expect(study.best?.key).toBe("k6");
    expect(study.failed).toBe(1);
  });

  test("a high goal looks for the highest", () => {
    expect(bestSoFar(scored(4, 5, 3), "score", "max").best?.number).toBe(2);
  });

  test("without a score there is no best one", () => {
    expect(bestSoFar(scored(null, null), "score", "min")).toMatchObject({ best: null, failed: 2 });
  });
});

describe("the front", () => {
  const point = (seq: number, x: number, y: number, more = {}) => aRow(seq, { x, y, ...more });
  const found = (rows: ReturnType<typeof point>[], kept: string | null = null, score: string | null = null) =>
    pareto(rows, { field: "x", goal: "max" }, { field: "y", goal: "min" }, { kept, score });
  const front = (...given: Parameters<typeof found>) => found(...given).front.map(({ key }) => key);

  test("holds those that no other beats in both, from left to right", () => {
    expect(front([point(1, 1, 1), point(2, 5, 5), point(3, 3, 3), point(4, 3, 4), point(5, 2, 6)])).toEqual([
      "k1",
      "k3",
      "k2",
    ]);
  });

  test("holds twins both", () => {
    expect(front([point(1, 2, 2), point(2, 2, 2), point(3, 1, 2)])).toEqual(["k1", "k2"]);
  });

  test("leaves out who breaks a promised limit, and shows them all the same", () => {
    const rows = [point(1, 9, 1, { ok: false }), point(2, 5, 5, { ok: true })];

    expect(front(rows, "ok")).toEqual(["k2"]);
    expect(found(rows, "ok").spots).toHaveLength(2);
  });

  test("leaves out who has no score, since it was not measured whole, and marks them", () => {
    const rows = [point(1, 9, 1, { score: null }), point(2, 5, 5, { score: 3 }), point(3, 4, 6)];

    expect(front(rows, null, "score")).toEqual(["k2"]);
    expect(found(rows, null, "score").spots.map(({ isWhole }) => isWhole)).toEqual([false, true, false]);
  });

  test("agrees with the definition on many points", () => {
    const rows = Array.from({ length: 200 }, (_, index) =>
      point(index + 1, (index * 37) % 23, (index * 53) % 29),
    );
    const beats = (a: (typeof rows)[0], b: (typeof rows)[0]) => {
      const [ax, ay, bx, by] = [a.data.x, a.data.y, b.data.x, b.data.y] as number[] as [
        number,
        number,
        number,
        number,
      ];
      return ax >= bx && ay <= by && (ax > bx || ay < by);
    };
    const wanted = rows.filter((row) => !rows.some((other) => beats(other, row))).map(({ key }) => key);

    expect(new Set(front(rows))).toEqual(new Set(wanted));
  });
});

describe("parallel coordinates", () => {
  const rows = [
    aRow(3, { param_tp: 4, param_kernel: "flash", score: 2 }),
    aRow(2, { param_tp: 2, param_kernel: "paged", score: 3 }),
    aRow(1, { param_tp: 1, param_kernel: null, score: 4 }),
    aRow(4, {}, { state: "failed" }),
  ];
  const found = parallel(rows, ["param_*", "score"], "score", "min");

  test("a pattern stands for all fields that begin so, and the others keep their place", () => {
    expect(fieldsOf(rows, ["param_*", "score"]).map(({ field }) => field)).toEqual([
      "param_tp",
      "param_kernel",
      "score",
    ]);
  });

  test("numbers have a range, words have places, and what is missing has none", () => {
    expect(found.axes.map(({ names }) => names)).toEqual([null, ["paged", "flash"], null]);
    expect(found.lines.map(({ places }) => places)).toEqual([
      [0, null, 1],
      [1 / 3, 0.25, 0.5],
      [1, 0.75, 0],
    ]);
    expect(found.left).toBe(1);
  });

  test("the best line is drawn last and has the highest rank", () => {
    expect(found.lines.map(({ rank }) => rank)).toEqual([0, 0.5, 1]);
  });

  test("brushes and the best share choose lines", () => {
    const chosen = (brushes: Record<string, [number, number]>, share = 1) =>
      found.lines
        .filter((line) => isChosenLine(line, found.axes, brushes, share))
        .map(({ item }) => item.seq);

    expect(chosen({ param_tp: [0, 0.5] })).toEqual([1, 2]);
    expect(chosen({ param_kernel: [0, 1] })).toEqual([2, 3]);
    expect(chosen({}, 0.5)).toEqual([2, 3]);
  });

  test("keys begin with one half, move it, and change its size within the axis", () => {
    expect(nudged(undefined, 0.1, "both")).toEqual([0.5, 1]);
    expect(nudged([0.5, 1], 0.1, "both")).toEqual([0.5, 1]);
    expect(nudged([0.5, 1], -0.25, "both")).toEqual([0.25, 0.75]);
    expect(nudged([0.5, 1], -0.25, "top")).toEqual([0.5, 0.75]);
  });
});

test("importances are the numbers of one prefix, the highest first", () => {
  const metrics = { "importance/tp": 0.2, "importance/batch": 0.6, "importance/x": "NaN", loss: 3 };

  expect(importances(metrics, "importance/")).toEqual([
    { name: "batch", share: 0.6 },
    { name: "tp", share: 0.2 },
  ]);
});

test("counts say how many items have a value, and how many of them are true", () => {
  const rows = [
    aRow(1, { topic: "tax", kept: true }),
    aRow(2, { topic: "tax", kept: false }),
    aRow(3, { topic: "tort", kept: true }, { state: "failed" }),
    aRow(4, {}),
  ];

  expect(counts(rows, "topic", "kept")).toEqual([
    { name: "tax", count: 2, hits: 1 },
    { name: "tort", count: 1, hits: 0 },
  ]);
  expect(counts(rows, "topic", null)[0]?.hits).toBe(2);
});

describe("a comparison", () => {
  const column = { column: "age", ks: 0.05, labels: ["18", 30], real: [0.5, 0.5], synthetic: [0.4, 0.6] };

  test("has the column that differs most first, and leaves out what does not fit", () => {
    const broken = [null, 3, { column: "x", labels: ["a"], real: [1], synthetic: [] }, { labels: [] }];
    const row = aRow(1, { columns: [column, { ...column, column: "bmi", ks: 0.2 }, ...broken] });

    expect(compared(row, "columns").map((one) => one.column)).toEqual(["bmi", "age"]);
  });

  test("tells means and missing shares where both sides have them", () => {
    const row = aRow(1, { columns: [{ ...column, real_mean: 41, synthetic_mean: 40, real_missing: 0.1 }] });

    expect(compared(row, "columns")[0]?.facts).toEqual([
      { name: "mean", real: 41, synthetic: 40, isShare: false },
    ]);
  });

  test("is offered by the items that carry one", () => {
    expect(comparable([aRow(2, {}), aRow(1, { columns: [column] })], "columns")).toHaveLength(1);
  });
});

describe("checkpoints", () => {
  const file = (name: string, time = "2026-01-31T09:30:00.000Z"): Artifact => ({
    name,
    bytes: 1,
    sha256: "a",
    time,
  });

  test("are the files of a prefix, newest first, with the best one marked", () => {
    const files = ["ck/step-10.zip", "ck/step-30.zip", "ck/step-20.zip", "log.txt"].map((name) => file(name));
    const points = [
      [10, 0.5],
      [20, 0.3],
      [29, 0.4],
    ] as const;

    expect(
      checkpoints(files, "ck/", points, "min").map(({ step, value, isBest, isLast }) => [
        step,
        value,
        isBest,
        isLast,
      ]),
    ).toEqual([
      [30, 0.4, false, true],
      [20, 0.3, true, false],
      [10, 0.5, false, false],
    ]);
  });

  test("without a step or a value none is the best", () => {
    expect(stepOf("ck/model.zip")).toBeNull();
    expect(valueAt([[5, 1]], 3)).toBeNull();
    expect(checkpoints([file("ck/a"), file("ck/b")], "ck/", [], "min").some(({ isBest }) => isBest)).toBe(
      false,
    );
  });
});

describe("gauges", () => {
  const low = { goal: "min", limit: 0.1, warn: 0.15 } as const;

  test("fill towards their limits and show how far a fail is off", () => {
    expect(gauge(low, 0.1).marks.map((mark) => mark.toFixed(2))).toEqual(["0.44", "0.67"]);
    expect(gauge(low, 0.1).filled).toBeCloseTo(0.444, 2);
    expect(gauge(low, 9).filled).toBe(1);
    expect(gauge(low, null).filled).toBe(0);
    expect(gauge({ goal: "max", limit: 0.8, warn: null }, 0.8)).toEqual({ filled: 0.8, marks: [0.8] });
  });

  test("say their limit in words", () => {
    expect(limitWords(low, String)).toBe("limit ≤ 0.1, warning to 0.15");
    expect(limitWords({ goal: "max", limit: 0.8, warn: null }, String)).toBe("limit ≥ 0.8");
    expect(limitWords({ goal: null, limit: null, warn: null }, String)).toBeNull();
  });
});

describe("hardware", () => {
  const series = (values: Record<string, number>): SeriesMap =>
    new Map(
      Object.entries(values).map(([name, value]) => [name, [[1, value / 2] as const, [2, value] as const]]),
    );

  test("is sorted into the host and its GPUs, with bounds and units", () => {
    const found = devices(
      series({
        loss: 1,
        "system/gpu1_percent": 20,
        "system/gpu0_memory_bytes": 18e9,
        "system/gpu0_memory_total_bytes": 24e9,
        "system/gpu0_celsius": 90,
        "system/memory_bytes": 2e9,
        "system/cpu_percent": 60,
      }),
    );

    expect(found.map(({ name }) => name)).toEqual(["Host", "GPU 0", "GPU 1"]);
    expect(found[0]?.readings.map(({ label }) => label)).toEqual(["CPU", "Memory"]);
    expect(found[1]?.readings.map(({ unit, latest, most }) => [unit, latest, most])).toEqual([
      ["bytes", 18e9, 24e9],
      ["celsius", 90, null],
    ]);
    expect(found[1]?.readings.map(alarmOf)).toEqual([null, "hot"]);
  });

  test("is written in its units", () => {
    expect([written(60.4, "percent"), written(310.2, "watts")]).toEqual(["60 %", "310 W"]);
  });

  test("without any metric there is no machine to show", () => {
    expect(devices(series({ loss: 1 }))).toEqual([]);
  });
});

test("a short word of a job has a tone", () => {
  expect(["kept", "rejected: too short", "duplicate of 3", "failed", "odd"].map(toneOf)).toEqual([
    "pass",
    "warn",
    "warn",
    "fail",
    "none",
  ]);
});
