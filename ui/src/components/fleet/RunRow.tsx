import { Link } from "@tanstack/react-router";
import type { Kind, RunHeader } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { StatusBadge } from "@/components/base/StatusBadge";
import { Elapsed, RelativeTime } from "@/components/base/Time";
import { resultOf } from "@/components/kinds";
import { RunBadge } from "@/components/run/RunBadge";
import { cn } from "@/lib/cn";
import { wholePercent } from "@/lib/format";

/** A run under way in one line, where there are too many for cards. */
export function LiveRow({ run, kind }: { run: RunHeader; kind: Kind }) {
  const percent = wholePercent(run.progress.done, run.progress.total);
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
      className="grid min-h-10 grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-3 px-4 py-1.5 text-sm hover:bg-hover md:grid-cols-[9rem_minmax(0,1fr)_10rem_3rem_5rem]"
    >
      <RunBadge run={run} kind={kind} />
      <span className="truncate font-medium">{run.name}</span>
      <ProgressBar
        progress={run.progress}
        status={run.status}
        stuck={run.stuck}
        units={kind.units}
        className="max-md:hidden"
      />
      <span className="text-right">{percent === null ? "–" : `${percent} %`}</span>
      <span className="text-right text-text-2 max-md:hidden">
        {run.started_at ? <Elapsed seconds={run.active_seconds} since={run.active_since} /> : "–"}
      </span>
    </Link>
  );
}

/** A run that has ended: what came of it, and when. */
export function EndedRow({ run, kind }: { run: RunHeader; kind: Kind }) {
  return (
    <li className="relative grid min-h-11 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-0.5 px-4 py-2 text-sm hover:bg-hover">
      <Link
        to="/runs/$runId"
        params={{ runId: run.id }}
        className="flex min-w-0 items-center gap-2.5 after:absolute after:inset-0"
      >
        <StatusBadge status={run.status} />
        <span className="truncate font-medium">{run.name}</span>
      </Link>
      <span className="relative z-10 whitespace-nowrap text-right text-text-3 text-xs">
        <RelativeTime time={run.ended_at} short /> ago
      </span>
      <span className={cn("truncate text-xs", run.status === "failed" ? "text-fail" : "text-text-2")}>
        {resultOf(run, kind) || `${kind.title} #${run.number}`}
      </span>
      <span className="text-right text-text-3 text-xs">
        {run.started_at ? (
          <>
            in <Elapsed seconds={run.active_seconds} since={null} />
          </>
        ) : (
          "never began"
        )}
      </span>
    </li>
  );
}
