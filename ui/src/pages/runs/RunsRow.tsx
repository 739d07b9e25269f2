import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { Elapsed, RelativeTime } from "@/components/base/Time";
import { stepWords } from "@/components/fleet/words";
import { resultOf } from "@/components/kinds";
import { useElapsed } from "@/components/run/elapsed";
import { RunBadge } from "@/components/run/RunBadge";
import { useRemaining } from "@/components/run/useRemaining";
import { cn } from "@/lib/cn";
import { NONE, roughly, wholePercent } from "@/lib/format";

/** The widths of the columns, the same for head and rows. */
export const COLUMNS =
  "grid items-center gap-x-3 px-3 grid-cols-[1.75rem_minmax(0,1fr)_auto] md:grid-cols-[1.75rem_9.5rem_minmax(8rem,2fr)_minmax(0,9rem)_4.5rem] lg:grid-cols-[1.75rem_10rem_minmax(8rem,2fr)_6.5rem_minmax(0,10rem)_4.5rem_5rem_minmax(0,1.4fr)_7rem]";

export interface RunsRowProps {
  run: RunHeader;
  kind: Kind;
  isSelected: boolean;
  onSelect: (id: string, extend: boolean) => void;
}

/** One run in one line; on phones two, with the bar beneath. */
export const RunsRow = memo(function RunsRow({ run, kind, isSelected, onSelect }: RunsRowProps) {
  const { seconds: left } = useRemaining(run, kind, useElapsed(run));
  const percent = wholePercent(run.progress.done, run.progress.total);
  return (
    <div
      className={cn(
        COLUMNS,
        "relative h-full border-line border-b text-sm",
        isSelected ? "bg-running-soft" : "hover:bg-hover",
      )}
    >
      <span role="cell" className="relative z-10 grid size-7 place-items-center max-md:-ml-2 max-md:size-11">
        <input
          type="checkbox"
          aria-label={`Select ${run.name}`}
          checked={isSelected}
          onChange={() => {}}
          onClick={(event) => onSelect(run.id, event.shiftKey)}
          className="size-4 accent-primary"
        />
      </span>
      <span role="cell" className="flex min-w-0 max-md:order-3 max-md:max-w-40 max-md:justify-self-end">
        <RunBadge run={run} kind={kind} />
      </span>
      <span role="cell" className="min-w-0">
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          data-row
          className="block truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-focus focus-visible:after:outline-offset-[-2px]"
        >
          {run.name}
        </Link>
        <span className="block truncate text-text-3 text-xs md:hidden">
          {kind.title}
          {run.started_at && (
            <>
              {" · "}
              <Elapsed seconds={run.active_seconds} since={run.active_since} />
            </>
          )}
          {left !== null && ` · ${roughly(left)}`}
        </span>
      </span>
      <span role="cell" className="truncate text-text-2 max-lg:hidden">
        {kind.title}
      </span>
      <span role="cell" className="flex items-center gap-2 max-md:absolute max-md:inset-x-0 max-md:bottom-0">
        <ProgressBar
          progress={run.progress}
          status={run.status}
          stuck={run.stuck}
          units={kind.units}
          className="h-1.5 max-md:h-0.5 max-md:rounded-none"
        />
        <span className="w-11 shrink-0 text-right text-text-2 text-xs max-md:hidden">
          {percent === null ? NONE : `${percent} %`}
        </span>
      </span>
      <span role="cell" className="text-right text-running-text max-lg:hidden">
        {left === null ? <span className="text-text-3">{NONE}</span> : roughly(left)}
      </span>
      <span role="cell" className="text-right text-text-2 max-md:hidden">
        {run.started_at ? <Elapsed seconds={run.active_seconds} since={run.active_since} /> : NONE}
      </span>
      <span
        role="cell"
        className={cn("truncate pl-4 max-lg:hidden", run.status === "failed" ? "text-fail" : "text-text-2")}
      >
        {[stepWords(run), resultOf(run, kind)].filter(Boolean).join(" · ") || (
          <span className="text-text-3">{NONE}</span>
        )}
      </span>
      <span role="cell" className="relative z-10 truncate text-right text-text-3 text-xs max-lg:hidden">
        {run.owner} · <RelativeTime time={run.created_at} short />
      </span>
    </div>
  );
});
