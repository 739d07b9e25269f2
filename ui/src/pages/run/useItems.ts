import { useEffect, useMemo, useState } from "react";
import { requestPatiently } from "@/api/client";
import { itemsPath } from "@/api/queries";
import type { ItemsPage } from "@/api/types";
import { type ItemsSnapshot, ItemTable } from "@/lib/analysis/itemTable";
import { useRunEvents } from "@/live/hooks";
import { Batched, useBatched } from "@/pages/run/batch";

const FIRST_PAGE = 1_000;
const NEXT_PAGES = 5_000;

export interface Items extends ItemsSnapshot {
  /** All pages are in the browser. */
  readonly isWhole: boolean;
  readonly isReady: boolean;
  readonly error: unknown;
  readonly reload: () => void;
}

/**
 * All items of a run: the newest page at once, the older ones behind it, live
 * events folded in. The table ignores older news, so the order does not matter
 * and a reload at any moment gives the same rows.
 */
export function useItems(runId: string): Items {
  const [load, setLoad] = useState({ round: 0, isReady: false, isWhole: false, error: null as unknown });
  const { table, batched } = useMemo(() => newTable(runId), [runId]);
  const snapshot = useBatched(batched);
  const reload = useMemo(
    () => () => setLoad((was) => ({ ...was, round: was.round + 1, isWhole: false, error: null })),
    [],
  );

  useRunEvents(runId, {
    onEvents: (events) => {
      if (events.map((event) => table.fold(event)).some(Boolean)) batched.touch();
    },
    onReset: () => {
      table.clear();
      reload();
    },
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads again
  useEffect(() => {
    const stop = new AbortController();
    const pages = async () => {
      for await (const page of itemPages(runId, stop.signal)) {
        table.load(page.items);
        batched.commit();
        setLoad((was) => ({ ...was, isReady: true, isWhole: page.before === null }));
      }
    };
    pages().catch((error: unknown) => {
      if (!stop.signal.aborted) setLoad((was) => ({ ...was, error }));
    });
    return () => stop.abort();
  }, [runId, table, batched, load.round]);

  return useMemo(
    () => ({ ...snapshot, isWhole: load.isWhole, isReady: load.isReady, error: load.error, reload }),
    [snapshot, load, reload],
  );
}

/** A table of its own for each run: the id is what it belongs to. */
function newTable(_runId: string) {
  const table = new ItemTable();
  return { table, batched: new Batched(() => table.snapshot()) };
}

async function* itemPages(runId: string, signal: AbortSignal): AsyncGenerator<ItemsPage> {
  let before: number | null = null;
  do {
    const place = before === null ? { limit: FIRST_PAGE } : { limit: NEXT_PAGES, before };
    const page: ItemsPage = await requestPatiently<ItemsPage>(itemsPath(runId, place), signal);
    yield page;
    before = page.before;
  } while (before !== null);
}
