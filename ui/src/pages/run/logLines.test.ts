import type { RunEvent } from "@/api/types";
import { linesOf } from "@/pages/run/useLogLines";

const said = (text: string): string[] =>
  linesOf({ seq: 1, type: "log", time: "t", data: { level: "info", source: "job", text } } as RunEvent).map(
    (line) => line.text,
  );

test.each([
  ["one\r\ntwo\r\n", ["one", "two"]],
  ["10 %\r55 %\r100 %", ["100 %"]],
  ["10 %\r55 %\r\ndone\r\n", ["55 %", "done"]],
  ["\u001b[31mred\u001b[0m\r\n", ["red"]],
])("%j is shown as a terminal shows it", (text, lines) => {
  expect(said(text)).toEqual(lines);
});
