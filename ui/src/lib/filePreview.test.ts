import { decoded, imageType, MOST_ROWS, pretty, previewKind, rowsOf } from "@/lib/filePreview";

test.each([
  ["report.json", "json"],
  ["a/b/table.CSV", "table"],
  ["plot.png", "image"],
  ["train.log", "text"],
  ["report.html", "page"],
  ["old/REPORT.HTM", "page"],
  ["drawing.svg", "text"],
  ["model.zip", null],
  ["weights.safetensors", null],
  ["README", null],
])("%s is shown as %s", (name, kind) => {
  expect(previewKind(name)).toBe(kind);
});

test("an image is one by its bytes, not by its name", () => {
  const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

  expect(imageType(bytes("\x89PNG\r\n\x1a\nrest"))).toBe("image/png");
  expect(imageType(bytes("\xff\xd8\xff\xe0"))).toBe("image/jpeg");
  expect(imageType(bytes("RIFF1234WEBPVP8"))).toBe("image/webp");
  expect(imageType(bytes("<svg onload=alert(1)>"))).toBeNull();
  expect(imageType(new Uint8Array())).toBeNull();
});

test("a character that was cut is left out, and what is no text is not shown", () => {
  expect(decoded(new TextEncoder().encode("für").slice(0, 2))).toBe("f");
  expect(decoded(Uint8Array.of(80, 0, 81))).toBeNull();
});

test("JSON is laid out, unless that would change it", () => {
  expect(pretty('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(pretty('{"a":')).toBe('{"a":');
  expect(pretty('{"id":12345678901234567890}')).toBe('{"id":12345678901234567890}');
});

test("cells may hold separators, quotes and line breaks", () => {
  expect(rowsOf('a,b\r\n"x, y","say ""no""\nmore"\n', ",", false)).toEqual([
    ["a", "b"],
    ["x, y", 'say "no"\nmore'],
  ]);
});

test("the last row counts without a line break, unless it was cut", () => {
  expect(rowsOf("a\tb\n1\t2", "\t", false)).toHaveLength(2);
  expect(rowsOf("a\tb\n1\t2", "\t", true)).toHaveLength(1);
});

test("a table is read no further than it is shown", () => {
  expect(rowsOf("1\n".repeat(100_000), ",", false)).toHaveLength(MOST_ROWS + 1);
});
