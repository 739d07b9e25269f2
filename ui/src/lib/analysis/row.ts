/**
 * The part of an item that analysis reads. Items of the API fit it as they are;
 * analysis knows no kind, only the names of fields that a declaration gives it.
 */

export type RowState = "in_flight" | "done" | "failed";

export interface Row {
  readonly key: string;
  readonly state: RowState;
  readonly seq: number;
  readonly seconds: number | null;
  readonly error: string | null;
  readonly label: string | null;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function isFinished(row: Row): boolean {
  return row.state !== "in_flight";
}

/** A field as the name of a group; null where it is absent or empty. */
export function nameOf(row: Row, field: string): string | null {
  const value = row.data[field];
  if (value === undefined || value === null || value === "") return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A true field of an item that did not end in an error. */
export function isTrue(row: Row, field: string): boolean {
  return row.state === "done" && row.data[field] === true;
}

/** A finite number, or null. */
export function numberOf(row: Row, field: string): number | null {
  const value = row.data[field];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
