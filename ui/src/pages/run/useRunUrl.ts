import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { readTable, type TableState, type Words, writeTable } from "@/lib/analysis/tableUrl";
import { useSettings } from "@/lib/settings";

export const TABS = ["overview", "activity", "results", "metrics", "logs", "files", "params", "who"] as const;
export type Tab = (typeof TABS)[number];

export interface RunUrl {
  readonly runId: string;
  readonly tab: Tab;
  readonly table: TableState;
  readonly search: Words;
  readonly onTab: (tab: Tab) => void;
  readonly onTable: (changes: Partial<TableState>) => void;
  /** Typing replaces, choosing pushes. Undefined takes a word away. */
  readonly onWords: (words: Words, isTyping?: boolean) => void;
}

/** The page's state is its address: tab, sort, filter, limit, open row. */
export function useRunUrl(): RunUrl {
  const params = useParams({ strict: false }) as Words;
  const search = useSearch({ strict: false }) as Words;
  const navigate = useNavigate();
  const { rows: usualLimit } = useSettings();
  const runId = params.runId ?? "";
  const tab = TABS.find((one) => one === params.tab) ?? (params.unit === undefined ? "overview" : "results");
  const table = useMemo(() => {
    const read = readTable(search, usualLimit);
    return params.unit !== undefined && read.open === null ? { ...read, open: params.unit } : read;
  }, [search, usualLimit, params.unit]);

  const go = useCallback(
    (to: Tab, words: Words, replace: boolean) =>
      void navigate({
        to:
          to === "overview"
            ? `/runs/${encodeURIComponent(runId)}`
            : `/runs/${encodeURIComponent(runId)}/${to}`,
        search: words as never,
        replace,
        resetScroll: false,
      }),
    [navigate, runId],
  );
  const onTab = useCallback((to: Tab) => go(to, { ...search, unit: undefined }, false), [go, search]);
  const onWords = useCallback(
    (words: Words, isTyping = false) => go(tab, { ...search, ...words }, isTyping),
    [go, search, tab],
  );
  const onTable = useCallback(
    (changes: Partial<TableState>) =>
      onWords(writeTable({ ...table, ...changes }, usualLimit), "text" in changes),
    [onWords, table, usualLimit],
  );
  return { runId, tab, table, search, onTab, onTable, onWords };
}
