import { columnsOf } from "@/lib/columns";
import { bytesOf, fitting, MOST_BYTES } from "@/lib/records";

const typesOf = (...values: (string | number | boolean | null)[]) =>
  columnsOf(values.map((value) => ({ it: value }))).map(({ type, missing }) => [type, missing])[0];

describe("the columns of a table", () => {
  test("have the type that all their values have", () => {
    expect(typesOf("1", "20", "-3")).toEqual(["integer", 0]);
    expect(typesOf("1", "2.5", "1e-3")).toEqual(["number", 0]);
    expect(typesOf("yes", "no")).toEqual(["boolean", 0]);
    expect(typesOf("2024-01-31", "2024-02-01")).toEqual(["date", 0]);
    expect(typesOf("a", "b", "a", "b")).toEqual(["category", 0]);
    expect(typesOf("a", "b", "c")).toEqual(["text", 0]);
    expect(typesOf(1, 2.5, true)).toEqual(["mixed", 0]);
    expect(typesOf("1", "x")).toEqual(["mixed", 0]);
  });

  test("count what is missing, in whatever words", () => {
    expect(typesOf("1", "", "NA", null)).toEqual(["integer", 3]);
    expect(typesOf("", "n/a")).toEqual(["empty", 2]);
  });

  test("of records with different fields are all there", () => {
    expect(columnsOf([{ a: 1 }, { b: 2 }]).map(({ name, missing }) => [name, missing])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });
});

test("as many records fit as the params of a run may weigh, with room for the others", () => {
  const records = Array.from({ length: 5_000 }, (_, id) => ({ id, text: "ü".repeat(50) }));

  const fits = fitting(records);

  expect(bytesOf(records.slice(0, fits))).toBeLessThan(MOST_BYTES - 15_000);
  expect(bytesOf(records.slice(0, fits))).toBeGreaterThan(MOST_BYTES - 17_000);
  expect(fitting([{ id: 1 }])).toBe(1);
});
