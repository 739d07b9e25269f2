/** The columns of the results table: those the kind declares, and a few that every item has. */

import type { Format, Item, Kind } from "@/api/types";
import { BUILT_IN } from "@/lib/analysis/arrange";

export interface TableColumn {
  readonly field: string;
  readonly label: string;
  readonly format: Format;
  readonly filter: boolean;
  /** Its least width, and its share of what is left over (0: none). */
  readonly rem: number;
  readonly grow: number;
  readonly read: (item: Item) => unknown;
}

const WIDTHS: Partial<Record<Format, readonly [rem: number, grow: number]>> = {
  text: [7.5, 1],
  json: [8, 2],
  boolean: [3.5, 0],
  number: [5.75, 0], // four digits behind as many zeros, such as 0.001599
};
const NUMBER_WIDTH = [5, 0] as const;
/** A heading is read whole, unless it is very long. */
const LETTER_REM = 0.4;
const MOST_REM = 10;
const FIRST_REM = 3.5;
const PADDING_REM = 2;

/** The grid of a row, and the width below which it scrolls sideways. */
export function layoutOf(columns: readonly TableColumn[]): { tracks: string; minWidth: string } {
  const tracks = columns.map(({ rem, grow }) => (grow > 0 ? `minmax(${rem}rem, ${grow}fr)` : `${rem}rem`));
  const width = columns.reduce((sum, { rem }) => sum + rem, FIRST_REM + PADDING_REM);
  return { tracks: [`${FIRST_REM}rem`, ...tracks].join(" "), minWidth: `${width}rem` };
}

const TIME: TableColumn = {
  field: BUILT_IN.seconds,
  label: "Time",
  format: "seconds",
  filter: false,
  rem: 5.5,
  grow: 0,
  read: (item) => item.seconds,
};

const NAME: TableColumn = {
  field: "label",
  label: "Item",
  format: "text",
  filter: false,
  rem: 10,
  grow: 1,
  read: (item) => item.label ?? item.key,
};

const DURATIONS: ReadonlySet<Format> = new Set(["seconds", "milliseconds"]);

/** All columns one can choose. */
export function columnsOf(kind: Kind): readonly TableColumn[] {
  const declared = kind.columns.map(({ name, label, format, filter }): TableColumn => {
    const [least, grow] = WIDTHS[format] ?? NUMBER_WIDTH;
    const rem = Math.max(least, Math.min(MOST_REM, label.length * LETTER_REM + 1.3));
    return { field: name, label, format, filter, rem, grow, read: (item) => item.data[name] };
  });
  const hasName = declared.length > 0;
  const hasTime = kind.columns.some((column) => DURATIONS.has(column.format));
  return [...(hasName ? [] : [NAME]), ...declared, ...(hasTime ? [] : [TIME])];
}

/** What is shown before anybody chooses. */
export function usualFields(kind: Kind): readonly string[] {
  const hidden = new Set(kind.columns.filter((column) => !column.shown).map((column) => column.name));
  return columnsOf(kind)
    .map((column) => column.field)
    .filter((field) => !hidden.has(field));
}

const keyFor = (kind: Kind) => `pilothouse.columns.${kind.name}`;

export function rememberedFields(kind: Kind): readonly string[] {
  try {
    const fields: unknown = JSON.parse(localStorage.getItem(keyFor(kind)) ?? "null");
    if (Array.isArray(fields) && fields.length > 0)
      return fields.filter((field) => typeof field === "string");
  } catch {
    // Not ours or not readable: the usual columns.
  }
  return usualFields(kind);
}

export function rememberFields(kind: Kind, fields: readonly string[]): void {
  try {
    localStorage.setItem(keyFor(kind), JSON.stringify(fields));
  } catch {
    // Storage is full or forbidden: the choice holds until the page is closed.
  }
}
