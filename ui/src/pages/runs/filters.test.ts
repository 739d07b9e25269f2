import { describe, expect, it } from "vitest";
import type { RunHeader } from "@/api/types";
import { toCsv } from "@/pages/runs/csv";
import { admits, parseWords, readFilters, toQuery, writeFilters } from "@/pages/runs/filters";

const none = readFilters({});

describe("filters", () => {
  it("are words in the box, and survive the URL", () => {
    const filters = parseWords("status:failed,paused by:ana prompt tuning tag:oct", none);

    expect(filters).toEqual({
      status: ["failed", "paused"],
      kind: [],
      owner: ["ana"],
      tag: ["oct"],
      q: "prompt tuning",
    });
    expect(readFilters(writeFilters(filters))).toEqual(filters);
    expect(toQuery(filters)).toEqual({
      status: ["failed", "paused"],
      kind: [],
      owner: ["ana"],
      tag: ["oct"],
      q: "prompt tuning",
    });
  });

  it("say whether a new run belongs to the list", () => {
    const run = {
      id: "r1",
      name: "prompt-tuning",
      status: "running",
      kind: "benchmark",
      owner: "ana",
      tags: [],
    } as unknown as RunHeader;

    expect(admits(none, run)).toBe(true);
    expect(admits(parseWords("by:ana tuning", none), run)).toBe(true);
    expect(admits(parseWords("status:failed", none), run)).toBe(false);
  });
});

describe("the export", () => {
  it("keeps a spreadsheet from running what a name says", () => {
    const run = {
      id: "r1",
      name: '=cmd("x")',
      tags: [],
      progress: {},
      metrics: { loss: -0.5 },
    } as unknown as RunHeader;

    const [, row] = toCsv([run]).split("\r\n");

    expect(row).toContain(`"'=cmd(""x"")"`);
    expect(row).toMatch(/,-0\.5$/);
  });
});
