import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Run, RunEvent } from "@/api/types";
import { decimals } from "@/live/decimals";
import { activeSeconds, fold } from "@/live/fold";
import { etaSeconds } from "@/live/progress";

const GOLDEN = "../tests/golden";
const names = readdirSync(GOLDEN)
  .filter((file) => file.endsWith(".jsonl"))
  .map((file) => file.replace(".jsonl", ""));

const read = (file: string) => readFileSync(`${GOLDEN}/${file}`, "utf8");
const events = (name: string): RunEvent[] =>
  read(`${name}.jsonl`)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe.each(names)("the golden log %s", (name) => {
  // rows: S4.101
  it("folds into the state that Python folds it into", () => {
    const run = events(name).reduce<Run | null>(fold, null);

    expect(run).toEqual(JSON.parse(read(`${name}.state.json`)));
  });

  // rows: S1.88
  it("tells the same active time and estimate after every event", () => {
    const samples: [number, number, number | null][] = JSON.parse(read(`${name}.samples.json`));
    let run: Run | null = null;

    for (const [index, event] of events(name).entries()) {
      run = fold(run, event);
      const active = activeSeconds(run, event.time);
      const [seq, seconds, eta] = samples[index] ?? [];
      expect(event.seq).toBe(seq);
      expect(active).toBeCloseTo(seconds ?? Number.NaN, 6);
      const ours = etaSeconds(run.progress, active);
      if (typeof eta === "number") expect(ours).toBeCloseTo(eta, 6);
      else expect(ours).toBeNull();
    }
  });
});

describe("fold", () => {
  it("leaves the run alone when an event comes twice or out of turn", () => {
    const [first, second, third] = events("completed");
    const run = fold(fold(null, first as RunEvent), second as RunEvent);

    expect(fold(run, second as RunEvent)).toBe(run);
    expect(fold(run, { ...(third as RunEvent), seq: 99 })).toBe(run);
  });
});

describe("the latest metrics", () => {
  it("are those of the first thousand names", () => {
    const [first] = events("completed");
    const point = (seq: number, names: string[]): RunEvent =>
      ({
        ...(first as RunEvent),
        seq,
        type: "metric",
        data: { step: seq, values: Object.fromEntries(names.map((name) => [name, seq])) },
      }) as RunEvent;
    const many = (letter: string) => Array.from({ length: 600 }, (_, index) => `${letter}${index}`);
    const log = [first as RunEvent, point(2, many("a")), point(3, ["a0", ...many("b")]), point(4, ["c"])];

    const run = log.reduce<Run | null>(fold, null);

    expect(Object.keys(run?.metrics ?? {})).toEqual([...many("a"), "c"]);
    expect([run?.metrics.a0, run?.metrics.a1]).toEqual([3, 2]);
  });
});

describe("decimals", () => {
  it("rounds ties to even, as Python does", () => {
    expect([0.0625, 0.1875, 2.5, 1.0005, 12.34567].map((value) => decimals(value, 3))).toEqual([
      0.062, 0.188, 2.5, 1.0, 12.346,
    ]);
  });
});
