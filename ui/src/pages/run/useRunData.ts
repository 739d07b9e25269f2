import { useSuspenseQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { kindsQuery } from "@/api/queries";
import type { Kind, Run } from "@/api/types";
import { kindIn } from "@/components/kinds";
import { type FeedEvent, merge } from "@/lib/analysis/feed";
import { errorToFeed, feedTypes, toFeed } from "@/lib/analysis/feedWords";
import type { SeriesMap } from "@/lib/analysis/series";
import { useLiveRun } from "@/live/hooks";
import type { Connection } from "@/live/types";
import { type EventLines, useEventLines } from "@/pages/run/useEventLines";
import { type Items, useItems } from "@/pages/run/useItems";
import type { Loading } from "@/pages/run/useLoading";
import { useSeries } from "@/pages/run/useSeries";

const FEED_FIRST = 300;
const FEED_MOST = 1_000;

export interface RunData {
  readonly run: Run;
  readonly kind: Kind;
  readonly items: Items;
  readonly series: SeriesMap;
  readonly seriesLoading: Loading;
  readonly feed: readonly FeedEvent[];
  readonly feedLoading: Loading;
}

/** Everything the page shows of one run, and how fresh it is. */
export function useRunData(runId: string): { data: RunData; connection: Connection } {
  const { run: live, connection } = useLiveRun(runId);
  const { data: kinds } = useSuspenseQuery(kindsQuery);
  const kind = useMemo(() => kindIn(kinds, live.kind), [kinds, live.kind]);
  const items = useItems(live.id);
  const { series, loading: seriesLoading } = useSeries(live.id);
  const lines = useEventLines(live.id, feedTypes(kind), FEED_FIRST, FEED_MOST);
  const feed = useFeed(lines, items, kind);
  const { error, reload } = lines;
  const feedLoading = useMemo(() => ({ error, reload }), [error, reload]);
  const data = useMemo(
    () => ({ run: live, kind, items, series, seriesLoading, feed, feedLoading }),
    [live, kind, items, series, seriesLoading, feed, feedLoading],
  );
  return { data, connection };
}

/** Events and items in error as one list. Errors older than the oldest event shown are left out. */
function useFeed({ events, isWhole }: EventLines, { finished }: Items, kind: Kind): readonly FeedEvent[] {
  const told = useMemo(
    () => events.map((event) => toFeed(event, kind)).filter((event) => event !== null),
    [events, kind],
  );
  const failed = useMemo(() => finished.filter((item) => item.state === "failed"), [finished]);
  return useMemo(() => {
    const oldest = isWhole ? 0 : (told[0]?.seq ?? 0);
    const errors = failed.filter((item) => item.seq >= oldest).slice(0, FEED_MOST);
    return merge(told, errors.map(errorToFeed));
  }, [told, failed, isWhole]);
}
