import { useCallback, useMemo } from "react";
import { query, requestPatiently } from "@/api/client";
import type { MetricsPage } from "@/api/types";
import type { SeriesMap } from "@/lib/analysis/series";
import { SeriesTable } from "@/lib/analysis/seriesTable";
import { useRunEvents } from "@/live/hooks";
import { Batched, useBatched } from "@/pages/run/batch";
import { type Loading, useLoading } from "@/pages/run/useLoading";

const POINTS = 2_000;

/** Every metric of a run as a line: loaded thinned, then continued live. */
export function useSeries(runId: string): { series: SeriesMap; loading: Loading } {
  const { table, batched } = useMemo(() => newTable(runId), [runId]);

  useRunEvents(runId, {
    onEvents: (events) => {
      for (const event of events) {
        if (event.type !== "metric") continue;
        table.add(event.data.step, event.data.values);
        batched.touch();
      }
    },
    onReset: () => {
      table.clear();
      loading.reload();
    },
  });

  const loading = useLoading(
    useCallback(
      async (signal) => {
        const path = `/runs/${encodeURIComponent(runId)}/metrics${query({ points: POINTS })}`;
        const { series } = await requestPatiently<MetricsPage>(path, signal);
        table.load(series);
        batched.commit();
      },
      [runId, table, batched],
    ),
  );

  return { series: useBatched(batched), loading };
}

function newTable(_runId: string) {
  const table = new SeriesTable();
  return { table, batched: new Batched(() => table.snapshot()) };
}
