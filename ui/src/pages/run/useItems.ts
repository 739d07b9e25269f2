import { useCallback, useMemo, useState } from "react";
import { request, requestPatiently } from "@/api/client";
import { itemsPath } from "@/api/queries";
import type { ItemsPage, Judgement, Verdict } from "@/api/types";
import { type ItemsSnapshot, ItemTable } from "@/lib/analysis/itemTable";
import { useRunEvents } from "@/live/hooks";
import { Batched, useBatched } from "@/pages/run/batch";
import { type Loading, useLoading } from "@/pages/run/useLoading";

const FIRST_PAGE = 1_000;
const NEXT_PAGES = 5_000;

export interface Items extends ItemsSnapshot, Loading {
  /** All pages are in the browser. */
  readonly isWhole: boolean;
  readonly isReady: boolean;
  /** Say something of a finished item by hand; null takes it back. Rejects when it is refused. */
  readonly judge: (key: string, verdict: Verdict | null) => Promise<void>;
}

/**
 * All items of a run: the newest page at once, the older ones behind it, live
 * events folded in. The table ignores older news, so the order does not matter
 * and a reload at any moment gives the same rows.
 */
export function useItems(runId: string): Items {
  const [load, setLoad] = useState({ isReady: false, isWhole: false });
  const { table, batched } = useMemo(() => newTable(runId), [runId]);
  const snapshot = useBatched(batched);

  useRunEvents(runId, {
    onEvents: (events) => {
      if (events.map((event) => table.fold(event)).some(Boolean)) batched.touch();
    },
    onReset: () => {
      table.clear();
      loading.reload();
    },
  });

  const loading = useLoading(
    useCallback(
      async (signal) => {
        setLoad((was) => ({ ...was, isWhole: false }));
        for await (const page of itemPages(runId, signal)) {
          table.load(page.items);
          batched.commit();
          setLoad({ isReady: true, isWhole: page.before === null });
        }
      },
      [runId, table, batched],
    ),
  );

  const judge = useCallback(
    async (key: string, verdict: Verdict | null) => {
      const path = `/runs/${runId}/judgements`;
      const { by, seq } = await request<Judgement>(path, { method: "POST", body: { keys: [key], verdict } });
      // The stream of a run that has ended tells nothing any more.
      if (table.judge(key, seq, verdict && { verdict, by, seq })) batched.touch();
    },
    [runId, table, batched],
  );

  return useMemo(() => ({ ...snapshot, ...load, ...loading, judge }), [snapshot, load, loading, judge]);
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
