import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { artifactsQuery } from "@/api/queries";
import type { RunData } from "@/pages/run/useRunData";

/** How many files are there now: what was saved anew or removed by a rule counts once, or not at all. */
export function useFileCount({ run, feed }: RunData): number {
  const { data, refetch } = useQuery({ ...artifactsQuery(run.id), enabled: run.artifacts > 0 });
  const change = feed.findLast(({ type }) => type === "file")?.seq ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a file that came or went is the reason to ask again
  useEffect(() => {
    if (run.artifacts > 0) void refetch();
  }, [run.artifacts, change, refetch]);
  return data?.length ?? 0;
}
