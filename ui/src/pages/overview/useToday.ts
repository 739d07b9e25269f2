import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { runsQuery } from "@/api/queries";
import type { RunHeader, Status } from "@/api/types";
import { isTerminal } from "@/api/types";
import type { Fleet } from "@/live/hooks";

export interface Today {
  /** Runs made since midnight, by status. */
  counts: Record<Status, number>;
  total: number;
  /** Seconds; null before a run has ended. */
  medianLength: number | null;
  medianWait: number | null;
  /** Ended runs, newest first. */
  ended: RunHeader[];
  /** All runs there are; null while unknown. */
  all: number | null;
  isLoading: boolean;
}

const NEWEST = { limit: 200 };

/** The day in numbers: the newest runs as the server lists them, with the fleet's fresher values laid over. */
export function useToday(fleet: Fleet): Today {
  const { data, isLoading, refetch } = useQuery({ ...runsQuery(NEWEST), placeholderData: keepPreviousData });
  const endedCount = fleet.runs.filter((run) => isTerminal(run.status)).length;
  const isKnown = data !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is asked for again when a run has ended.
  useEffect(() => {
    if (isKnown) void refetch();
  }, [endedCount]);
  return useMemo(() => {
    const runs = new Map([...(data?.runs ?? []), ...fleet.runs].map((run) => [run.id, run]));
    return { ...sum([...runs.values()]), all: data ? Math.max(data.total, runs.size) : null, isLoading };
  }, [data, fleet.runs, isLoading]);
}

function sum(runs: readonly RunHeader[]): Omit<Today, "all" | "isLoading"> {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const today = runs.filter((run) => new Date(run.created_at).getTime() >= midnight);
  const counts: Record<Status, number> = {
    queued: 0,
    running: 0,
    paused: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
  };
  for (const run of today) counts[run.status] += 1;
  const ended = runs.filter((run) => isTerminal(run.status) && run.ended_at);
  return {
    counts,
    total: today.length,
    medianLength: median(today.filter((run) => run.status === "completed").map((run) => run.active_seconds)),
    medianWait: median(
      today.flatMap((run) => (run.started_at ? [seconds(run.created_at, run.started_at)] : [])),
    ),
    ended: ended.sort((one, other) => (other.ended_at ?? "").localeCompare(one.ended_at ?? "")),
  };
}

const seconds = (from: string, to: string) =>
  Math.max(0, (new Date(to).getTime() - new Date(from).getTime()) / 1000);

function median(values: number[]): number | null {
  const sorted = values.sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
