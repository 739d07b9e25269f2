import { useEffect, useMemo, useState } from "react";
import { query, request } from "@/api/client";
import type { MetricsPage } from "@/api/types";
import type { SeriesMap } from "@/lib/analysis/series";
import { SeriesTable } from "@/lib/analysis/seriesTable";
import { useRunEvents } from "@/live/hooks";
import { Batched, useBatched } from "@/pages/run/batch";

const POINTS = 2_000;

/** Every metric of a run as a line: loaded thinned, then continued live. */
export function useSeries(runId: string): SeriesMap {
  const [round, setRound] = useState(0);
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
      setRound((was) => was + 1);
    },
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads again
  useEffect(() => {
    const stop = new AbortController();
    request<MetricsPage>(`/runs/${encodeURIComponent(runId)}/metrics${query({ points: POINTS })}`, {
      signal: stop.signal,
    })
      .then(({ series }) => {
        table.load(series);
        batched.commit();
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [runId, table, batched, round]);

  return useBatched(batched);
}

function newTable(_runId: string) {
  const table = new SeriesTable();
  return { table, batched: new Batched(() => table.snapshot()) };
}
