import type { Item, RunEvent } from "@/api/types";
import { ItemTable } from "@/lib/analysis/itemTable";

const item = (key: string, seq: number, changes: Partial<Item> = {}) =>
  ({ key, seq, state: "done", judged: null, data: {}, starts: 1, ...changes }) as Item;
const judged = (seq: number, verdict: string | null) =>
  ({
    run_id: "r",
    seq,
    time: "t",
    type: "item.judged",
    data: { key: "a", verdict, actor: "ana" },
  }) as RunEvent;
const verdicts = (table: ItemTable) => table.snapshot().finished.map((row) => row.judged?.verdict ?? null);

test("the last word on an item counts, in whatever order pages and events come", () => {
  const early = new ItemTable();
  early.fold(judged(9, "keep"));
  early.load([item("a", 3), item("b", 4)]);

  const late = new ItemTable();
  late.load([item("a", 3, { judged: { verdict: "flag", by: "ben", seq: 5 } }), item("b", 4)]);
  late.fold(judged(9, "keep"));
  late.fold(judged(7, "drop"));

  expect(verdicts(early)).toEqual([null, "keep"]);
  expect(verdicts(late)).toEqual([null, "keep"]);
  late.fold(judged(10, null));
  expect(verdicts(late)).toEqual([null, null]);
});
