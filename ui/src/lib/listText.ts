/** Lists of words as one types them, and back; writing and reading again gives the same list. */

/** Words by commas; a word a line where one holds a comma; JSON where one holds a line break. */
export function writeWords(words: readonly string[]): string {
  if (
    words.some((word) => word.includes("\n") || word.trim() !== word || word === "" || word.startsWith("["))
  )
    return JSON.stringify(words);
  if (!words.some((word) => word.includes(","))) return words.join(", ");
  // A line break at the end says that the one word is not several.
  return words.length === 1 ? `${words[0]}\n` : words.join("\n");
}

export function readWords(text: string): string[] {
  const listed = jsonWords(text);
  if (listed) return listed;
  return text
    .split(text.includes("\n") ? "\n" : ",")
    .map((word) => word.trim())
    .filter(Boolean);
}

function jsonWords(text: string): string[] | null {
  if (!text.startsWith("[")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : null;
  } catch {
    return null;
  }
}

const PLAIN = /^[\w@%+=:,./-]+$/;

/** A program and its arguments as one types them in a terminal. */
export const writeCommand = (words: readonly string[]): string =>
  words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");

/** 'as it is', "with \" in it", \x, blanks, and plain text; a quote that is still open ends with the line. */
const PIECE =
  /'(?<single>[^']*)'?|"(?<double>(?:\\["\\]|[^"])*)"?|\\(?<escaped>.)|(?<blank>\s+)|[^\s'"\\]+|\\$/gs;

/** The words of a command line: blanks part them, quotes and backslashes keep them together, and nothing is expanded. */
export function readCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (const { 0: plain, groups } of line.matchAll(PIECE)) {
    const { single, double, escaped, blank } = groups ?? {};
    if (blank === undefined) {
      word = (word ?? "") + (single ?? double?.replaceAll(/\\(["\\])/g, "$1") ?? escaped ?? plain);
    } else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  return word === null ? words : [...words, word];
}

/** Numbers by commas; what is none stays a word, and the server says so. */
export const readNumbers = (text: string): (number | string)[] =>
  text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map((word) => (Number.isFinite(Number(word)) ? Number(word) : word));
