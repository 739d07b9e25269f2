import { describe, expect, it } from "vitest";
import { parseRecords } from "@/lib/records";

describe("records", () => {
  it("are read from JSONL, a JSON list and CSV alike", () => {
    const wanted = [
      { id: "a", text: "one, two" },
      { id: "b", text: 'say "x"' },
    ];

    for (const text of [
      '{"id":"a","text":"one, two"}\n\n{"id":"b","text":"say \\"x\\""}\n',
      JSON.stringify(wanted),
      '\ufeffid,text\r\na,"one, two"\r\nb,"say ""x"""\r\n',
    ])
      expect(parseRecords(text)).toMatchObject({ records: wanted });
  });

  it("name the first line that cannot be read", () => {
    expect(parseRecords('{"id":1}\n{"id":}\n')).toMatchObject({ line: 2 });
    expect(parseRecords('id,text\na,"two\nlines"\nb\n')).toEqual({
      problem: "1 cells where the heading has 2",
      line: 4,
    });
    expect(parseRecords("just words")).toMatchObject({ line: 1 });
  });

  it("are none in an empty text", () => {
    expect(parseRecords("  \n")).toMatchObject({ records: [] });
  });
});
