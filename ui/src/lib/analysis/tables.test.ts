import type { Item, RunEvent } from "@/api/types";
import { asCommand } from "@/lib/analysis/command";
import { aRow } from "@/lib/analysis/fixtures";
import { ItemTable } from "@/lib/analysis/itemTable";
import { SeriesTable } from "@/lib/analysis/seriesTable";
import { readTable, writeTable } from "@/lib/analysis/tableUrl";

const started = (seq: number, key: string): RunEvent => ({
  run_id: "r",
  seq,
  type: "item.started",
  time: "t",
  data: { key, label: `label ${key}`, ask: false },
});
const finished = (seq: number, key: string, ok = true): RunEvent =>
  ({
    run_id: "r",
    seq,
    type: "item.finished",
    time: "t",
    data: {
      key,
      ok,
      seconds: 1,
      error: ok ? null : "429",
      group: null,
      data: { n: seq },
      reused: false,
      possible_duplicate: false,
    },
  }) as RunEvent;
const anItem = (seq: number, key: string): Item =>
  ({ ...aRow(seq, { n: seq }), key, attempt: 1, starts: 1 }) as Item;

describe("items", () => {
  test("pages and events in any order give the same table", () => {
    const events = [
      started(1, "a"),
      finished(2, "a"),
      started(3, "b"),
      finished(4, "b", false),
      started(5, "c"),
    ];
    const live = new ItemTable();
    for (const event of events) live.fold(event);
    const late = new ItemTable();
    for (const event of events.slice(2)) late.fold(event);
    late.load([anItem(2, "a")]);
    for (const event of events) late.fold(event);

    const keys = (table: ItemTable) =>
      table.snapshot().finished.map((item) => [item.key, item.state, item.seq]);

    expect(keys(late)).toEqual(keys(live));
    expect(keys(live)).toEqual([
      ["b", "failed", 4],
      ["a", "done", 2],
    ]);
    expect(live.snapshot().inHand.map((item) => item.key)).toEqual(["c"]);
  });

  test("an event that comes twice changes nothing", () => {
    const table = new ItemTable();

    expect(table.fold(finished(2, "a"))).toBe(true);
    expect(table.fold(finished(2, "a"))).toBe(false);
    expect(table.fold(started(1, "a"))).toBe(false);
  });

  test("a page that comes after an event tells what the event left out", () => {
    const table = new ItemTable();
    table.fold(finished(2, "a"));
    table.load([{ ...anItem(2, "a"), label: "tax law" }]);
    const told = table.snapshot().finished.map((item) => item.label);
    table.fold(finished(2, "a"));

    expect(told).toEqual(["tax law"]);
    expect(table.snapshot().finished.map((item) => item.label)).toEqual(["tax law"]);
  });

  test("a repeated item is in hand again and then newest", () => {
    const table = new ItemTable();
    for (const event of [finished(1, "a", false), finished(2, "b"), started(3, "a")]) table.fold(event);

    expect(table.snapshot().finished.map((item) => item.key)).toEqual(["b"]);
    table.fold(finished(4, "a"));
    expect(table.snapshot().finished.map((item) => item.key)).toEqual(["a", "b"]);
    expect(table.get("a")?.starts).toBe(2);
  });

  test("only a result says that an item may have been done twice", () => {
    const table = new ItemTable();
    for (const event of [finished(1, "a", false), started(2, "a")]) table.fold(event);
    expect(table.get("a")?.possible_duplicate).toBe(false);

    const { data, ...rest } = finished(3, "a") as Extract<RunEvent, { type: "item.finished" }>;
    table.fold({ ...rest, data: { ...data, possible_duplicate: true } });
    expect(table.get("a")?.possible_duplicate).toBe(true);
  });
});

describe("series", () => {
  test("live points and a later load become one line without doubles", () => {
    const table = new SeriesTable();
    table.add(3, { loss: 3 });
    table.load({
      loss: [
        [1, 1],
        [2, "NaN"],
        [3, 3],
      ],
      verdict: [[1, "too early"]],
    });
    table.add(4, { loss: 4, verdict: "still too early" });

    expect([...table.snapshot()]).toEqual([
      [
        "loss",
        [
          [1, 1],
          [2, null],
          [3, 3],
          [4, 4],
        ],
      ],
    ]);
  });

  test("a long line is thinned", () => {
    const table = new SeriesTable();
    for (let step = 0; step < 10_000; step += 1) table.add(step, { loss: step });

    expect(table.snapshot().get("loss")?.length).toBeLessThanOrEqual(4_000);
  });
});

test("a command quotes what a shell would read", () => {
  const run = { kind: "benchmark", name: "it's", params: { repeat: 2, models: ["a b"] } };

  expect(asCommand(run as never)).toBe(
    "pilothouse run benchmark --name 'it'\\''s' \\\n  -c repeat=2 \\\n  -c 'models=[\"a b\"]'",
  );
});

describe("the table in the address", () => {
  test("comes back as it was, whatever names hold", () => {
    const state = {
      sort: { field: "ms", descending: true },
      conditions: [
        { field: "model", value: "a:b,c 50%" },
        { field: "vote", value: "" },
      ],
      text: "429",
      limit: 0,
      open: "a/b",
    };

    expect(readTable(writeTable(state, 50), 50)).toEqual(state);
  });

  test("what is usual is left out, what is broken is usual", () => {
    const usual = readTable({ limit: "many", filter: "nothing" }, 50);

    expect(usual).toEqual({ sort: null, conditions: [], text: "", limit: 50, open: null });
    expect(Object.values(writeTable(usual, 50)).every((value) => value === undefined)).toBe(true);
  });
});
