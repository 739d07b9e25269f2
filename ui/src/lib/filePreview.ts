/** What can be shown of a file without downloading it. What a job wrote is not trusted: text stays text. */

export type PreviewKind = "text" | "json" | "table" | "image" | "page";

export const TEXT_BYTES = 256 * 1024;
export const IMAGE_BYTES = 10_000_000;
export const PAGE_BYTES = 10_000_000;
export const MOST_ROWS = 200;
export const MOST_COLUMNS = 50;

const KINDS: Readonly<Record<string, PreviewKind>> = {
  json: "json",
  csv: "table",
  tsv: "table",
  png: "image",
  jpg: "image",
  jpeg: "image",
  gif: "image",
  webp: "image",
  html: "page",
  htm: "page",
};
const TEXTS = new Set(
  "txt log md jsonl ndjson yaml yml toml ini cfg conf py ts js sh sql r xml svg tex rst diff patch".split(
    " ",
  ),
);

/** How a file is shown, told by its name; null where it is not. */
export function previewKind(name: string): PreviewKind | null {
  const [, end] = /\.([^./]+)$/.exec(name.toLowerCase()) ?? [];
  if (end === undefined) return null;
  return KINDS[end] ?? (TEXTS.has(end) ? "text" : null);
}

/** The media type that an image's first bytes prove; null for anything else, whatever its name says. */
export function imageType(bytes: Uint8Array): string | null {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  return head.startsWith("RIFF") && head.slice(8, 12) === "WEBP" ? "image/webp" : null;
}

/** Text of bytes that may be cut within a character; null for what is no text. */
export function decoded(bytes: Uint8Array): string | null {
  const text = new TextDecoder().decode(bytes);
  return text.includes("\0") ? null : text.replace(/\ufffd$/, "");
}

/** JSON with line breaks; as it is where it was cut, is none, or names its numbers more exactly than we can. */
export function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const isExact = !/\d{16}/.test(text);
    return isExact ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

/** A cell with what ends it: quoted with doubled quotes, or plain. */
const cells = (separator: string) =>
  new RegExp(`(?:"((?:[^"]|"")*)"|([^${separator}\\n]*))(${separator}|\\n|$)`, "y");

/** The first rows of a table, with quotes and line breaks in cells; a last row that was cut is left out. */
export function rowsOf(text: string, separator: string, isCut: boolean): string[][] {
  const rows: string[][] = [];
  const pattern = cells(separator);
  const all = text.replaceAll("\r\n", "\n");
  let row: string[] = [];
  while (pattern.lastIndex < all.length && rows.length <= MOST_ROWS) {
    const found = pattern.exec(all);
    if (!found) break; // a quote that is not closed
    const [, quoted, plain = "", end] = found;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === separator) continue;
    if (end === "\n" || !isCut) rows.push(row);
    row = [];
  }
  return rows;
}
