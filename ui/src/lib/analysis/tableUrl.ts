/** The results table in the page's address: `?sort=-seconds&filter=model:a,correct:false&q=429&limit=200&unit=key`. */

import type { Condition, Sort } from "@/lib/analysis/arrange";

export interface TableState {
  readonly sort: Sort | null;
  readonly conditions: readonly Condition[];
  readonly text: string;
  /** 0 shows all. */
  readonly limit: number;
  /** Key of the item whose drawer is open. */
  readonly open: string | null;
}

export type Words = Readonly<Record<string, string | undefined>>;

export function readTable(search: Words, usualLimit: number): TableState {
  const { sort, filter, q, limit, unit } = search;
  const wanted = Number(limit);
  return {
    sort: sort ? { field: sort.replace(/^-/, ""), descending: sort.startsWith("-") } : null,
    conditions: filter ? filter.split(",").flatMap(readCondition) : [],
    text: q ?? "",
    limit: limit !== undefined && Number.isInteger(wanted) && wanted >= 0 ? wanted : usualLimit,
    open: unit ?? null,
  };
}

/** What is usual is left out. */
export function writeTable(state: TableState, usualLimit: number): Words {
  const { sort, conditions, text, limit, open } = state;
  return {
    sort: sort ? `${sort.descending ? "-" : ""}${sort.field}` : undefined,
    filter: conditions.length > 0 ? conditions.map(writeCondition).join(",") : undefined,
    q: text || undefined,
    limit: limit === usualLimit ? undefined : String(limit),
    unit: open ?? undefined,
  };
}

/** Commas and colons inside names are escaped once more, so that they split nothing. */
function writeCondition({ field, value }: Condition): string {
  return `${escaped(field)}:${escaped(value)}`;
}

function readCondition(text: string): Condition[] {
  const at = text.indexOf(":");
  return at < 1 ? [] : [{ field: unescaped(text.slice(0, at)), value: unescaped(text.slice(at + 1)) }];
}

const escaped = (text: string): string => text.replace(/[%,:]/g, encodeURIComponent);

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
