import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { request } from "@/api/client";
import { keys, runsPath } from "@/api/queries";
import type { RunHeader, RunsPage } from "@/api/types";
import { useFleet } from "@/live/hooks";
import { admits, type Filters, toQuery } from "@/pages/runs/filters";

const PAGE = 200;

export interface RunList {
  runs: RunHeader[];
  total: number | null;
  /** New runs that are held back so that nothing moves. */
  waiting: number;
  showWaiting: () => void;
  fetchMore: () => void;
  hasMore: boolean;
  isLoading: boolean;
  error: Error | null;
  refetch: () => void;
}

/** Runs newest first, by pages, with the fleet's live values in place. While `held`, new ones wait. */
export function useRunList(filters: Filters, held: boolean): RunList {
  const query = { ...toQuery(filters), limit: PAGE };
  const pages = useInfiniteQuery({
    queryKey: [...keys.runs(query), "pages"],
    queryFn: ({ pageParam, signal }) =>
      request<RunsPage>(runsPath(pageParam === null ? query : { ...query, before: pageParam }), { signal }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.before,
    staleTime: 0,
  });
  const fleet = useFleet();
  const loaded = useMemo(() => pages.data?.pages.flatMap((page) => page.runs) ?? [], [pages.data]);
  const newest = loaded[0]?.number ?? 0;

  const { merged, fresh } = useMemo(() => {
    const live = new Map(fleet.runs.map((run) => [run.id, run]));
    const known = new Set(loaded.map((run) => run.id));
    return {
      merged: loaded.map((run) => newer(run, live.get(run.id))),
      fresh: fleet.runs.filter((run) => run.number > newest && !known.has(run.id) && admits(filters, run)),
    };
  }, [fleet.runs, loaded, newest, filters]);

  const top = fresh[0]?.number ?? newest;
  const [ceiling, setCeiling] = useState<number | null>(null);
  useEffect(() => setCeiling((before) => (held ? (before ?? top) : null)), [held, top]);
  const shownFresh = ceiling === null ? fresh : fresh.filter((run) => run.number <= ceiling);

  return {
    runs: [...shownFresh, ...merged],
    total: pages.data ? (pages.data.pages[0]?.total ?? 0) + fresh.length : null,
    waiting: fresh.length - shownFresh.length,
    showWaiting: () => setCeiling(held ? top : null),
    fetchMore: () => {
      if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
    },
    hasMore: pages.hasNextPage,
    isLoading: pages.isLoading,
    error: pages.data ? null : pages.error,
    refetch: () => void pages.refetch(),
  };
}

const newer = (run: RunHeader, live: RunHeader | undefined) => (live && live.head >= run.head ? live : run);
