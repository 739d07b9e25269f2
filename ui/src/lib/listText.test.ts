import { describe, expect, it } from "vitest";
import { readCommand, readNumbers, readWords, writeCommand, writeWords } from "@/lib/listText";

describe("a list of words as text", () => {
  it.each([
    [["law", "tax"]],
    [["one, with a comma"]],
    [["Write a note, please.", "What is it?"]],
    [["two\nlines", "x"]],
    [["", " blank "]],
    [["[odd]"]],
    [[]],
  ])("comes back as it was: %j", (words) => {
    expect(readWords(writeWords(words))).toEqual(words);
  });

  it("is parted by commas in one line, and by lines where there are several", () => {
    expect(readWords("law, tax ,")).toEqual(["law", "tax"]);
    expect(readWords("Hello, you\nBye\n")).toEqual(["Hello, you", "Bye"]);
  });
});

describe("a command as text", () => {
  it.each([
    [["python", "train.py", "--epochs", "3"]],
    [["python", "-c", "print('a', \"b\")\nprint(1)"]],
    [["echo", "", "a b", "C:\\x", "it's"]],
  ])("comes back as it was: %j", (words) => {
    expect(readCommand(writeCommand(words))).toEqual(words);
  });

  it("reads what one types in a terminal, and expands nothing", () => {
    expect(readCommand(`python -c "print(1, 2)"  --name=my\\ run $HOME`)).toEqual([
      "python",
      "-c",
      "print(1, 2)",
      "--name=my run",
      "$HOME",
    ]);
    expect(readCommand("  ")).toEqual([]);
  });
});

it("reads numbers, and leaves to the server what is none", () => {
  expect(readNumbers("1, 4 8;x")).toEqual([1, 4, 8, "x"]);
});
