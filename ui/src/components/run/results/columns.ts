/** The columns of the results table: those the kind declares, and a few that every item has. */

import type { Format, Item, Kind } from "@/api/types";
import { BUILT_IN } from "@/lib/analysis/arrange";

export interface TableColumn {
  readonly field: string;
  readonly label: string;
  readonly format: Format;
  readonly filter: boolean;
  /** A CSS grid track. */
  readonly track: string;
  readonly read: (item: Item) => unknown;
}

const TRACKS: Partial<Record<Format, string>> = {
  text: "minmax(7rem, 1.5fr)",
  json: "minmax(8rem, 2fr)",
  boolean: "5rem",
};

const TIME: TableColumn = {
  field: BUILT_IN.seconds,
  label: "Time",
  format: "seconds",
  filter: false,
  track: "5.5rem",
  read: (item) => item.seconds,
};

const NAME: TableColumn = {
  field: "label",
  label: "Item",
  format: "text",
  filter: false,
  track: "minmax(10rem, 1fr)",
  read: (item) => item.label ?? item.key,
};

const DURATIONS: ReadonlySet<Format> = new Set(["seconds", "milliseconds"]);

/** All columns one can choose. */
export function columnsOf(kind: Kind): readonly TableColumn[] {
  const declared = kind.columns.map(
    ({ name, label, format, filter }): TableColumn => ({
      field: name,
      label,
      format,
      filter,
      track: TRACKS[format] ?? "6rem",
      read: (item) => item.data[name],
    }),
  );
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
