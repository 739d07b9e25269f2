/** The filters of the runs list: words in the box, chips on the screen, parameters in the URL. */

import type { RunFilters } from "@/api/queries";
import type { RunHeader } from "@/api/types";
import type { Search } from "@/lib/search";

export const FIELDS = ["status", "kind", "owner", "tag"] as const;
export type Field = (typeof FIELDS)[number];
export type Filters = { [field in Field]: readonly string[] } & { q: string };

const PREFIXES: Record<string, Field> = {
  status: "status",
  kind: "kind",
  by: "owner",
  owner: "owner",
  tag: "tag",
};
export const LABELS = { status: "status", kind: "kind", owner: "by", tag: "tag" } satisfies Record<
  Field,
  string
>;

const split = (text: string | undefined) => (text ? text.split(",").filter(Boolean) : []);

export function readFilters(search: Search): Filters {
  return {
    status: split(search.status),
    kind: split(search.kind),
    owner: split(search.owner),
    tag: split(search.tag),
    q: search.q ?? "",
  };
}

export function writeFilters(filters: Filters): Search {
  const search: Search = { q: filters.q || undefined };
  for (const field of FIELDS) search[field] = filters[field].join(",") || undefined;
  return search;
}

/** Take `status:failed by:ana words` apart: known parts join the filters, the rest is the text to look for. */
export function parseWords(text: string, filters: Filters): Filters {
  const next: Filters = { ...filters };
  const rest: string[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const [, prefix = "", value = ""] = /^(\w+):(.+)$/.exec(word) ?? [];
    const field = PREFIXES[prefix];
    if (field) next[field] = [...new Set([...next[field], ...value.split(",").filter(Boolean)])];
    else rest.push(word);
  }
  return { ...next, q: rest.join(" ") };
}

export const isFiltered = (filters: Filters): boolean =>
  filters.q !== "" || FIELDS.some((field) => filters[field].length > 0);

/** What the server is asked. It takes one owner and one tag. */
export function toQuery(filters: Filters): RunFilters {
  const query: RunFilters = { status: filters.status, kind: filters.kind };
  if (filters.owner[0]) query.owner = filters.owner.slice(0, 1);
  if (filters.tag[0]) query.tag = filters.tag.slice(0, 1);
  if (filters.q) query.q = filters.q;
  return query;
}

/** Whether a run that has just come would be in the list. */
export function admits(filters: Filters, run: RunHeader): boolean {
  const has = (wanted: readonly string[], value: string) => wanted.length === 0 || wanted.includes(value);
  const words = filters.q.toLowerCase();
  return (
    has(filters.status, run.status) &&
    has(filters.kind, run.kind) &&
    has(filters.owner, run.owner) &&
    (filters.tag.length === 0 || filters.tag.some((tag) => run.tags.includes(tag))) &&
    (words === "" || `${run.name} ${run.id}`.toLowerCase().includes(words))
  );
}
