import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { Elapsed } from "@/components/base/Time";
import { CardControls } from "@/components/fleet/CardControls";
import { lineWords, placeWords } from "@/components/fleet/words";
import { type Figure, headlineOf, spendOf } from "@/components/kinds";
import { useElapsed } from "@/components/run/elapsed";
import { RunBadge } from "@/components/run/RunBadge";
import { remainingWords, useRemaining } from "@/components/run/useRemaining";
import { useWaiting } from "@/components/run/useStatus";
import { isConsole } from "@/lib/analysis/sentence";
import { cn } from "@/lib/cn";
import { count, counted, money, wholePercent } from "@/lib/format";
import { survivorWords, within } from "@/lib/status";
import { useFleet } from "@/live/hooks";

export interface RunCardProps {
  run: RunHeader;
  kind: Kind;
  isFresh: boolean;
}

const EDGE = {
  queued: "before:bg-queued",
  running: "before:bg-running",
  paused: "before:bg-paused",
  completed: "before:bg-completed",
  failed: "before:bg-failed",
  cancelled: "before:bg-cancelled",
} as const;

/** One run that is under way: how far, how long, what it costs, and its brakes. */
export function RunCard({ run, kind, isFresh }: RunCardProps) {
  const waiting = useWaiting(run);
  const left = remainingWords(run, useRemaining(run, kind, useElapsed(run)), kind.unit);
  const ended = isTerminal(run.status);
  // One that waits in line has nothing to show yet.
  const isBegun = run.status !== "queued" || run.started_at !== null || run.progress.done > 0;
  return (
    <article
      aria-label={run.name}
      data-run={run.id}
      className={cn(
        "relative min-w-0 space-y-3 overflow-hidden rounded-lg border border-line bg-card p-4 pl-5 shadow-card transition-colors focus-within:border-control-border hover:border-control-border",
        "before:absolute before:inset-y-0 before:left-0 before:w-1",
        run.stuck ? "before:bg-stuck" : EDGE[run.status],
      )}
    >
      <div className="flex items-center gap-3 max-md:flex-wrap">
        <div className="flex min-w-0 grow items-center gap-3 max-md:w-full max-md:flex-wrap max-md:gap-y-1.5">
          <RunBadge run={run} kind={kind} isFresh={isFresh} wraps className="max-w-[60%] max-md:max-w-full" />
          <h3 className="min-w-0 truncate font-semibold max-md:w-full">
            <Link
              to="/runs/$runId"
              params={{ runId: run.id }}
              className="after:absolute after:inset-0 after:rounded-lg focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-focus focus-visible:after:outline-offset-[-2px]"
            >
              {run.name}
            </Link>
          </h3>
          <p className="min-w-24 shrink-[9999] truncate text-text-3 text-xs max-lg:hidden">
            #{run.number} · {kind.title} · by {run.owner}
          </p>
        </div>
        {!ended && <CardControls run={run} kind={kind} />}
      </div>
      {isBegun && (
        <ProgressBar
          progress={run.progress}
          status={run.status}
          stuck={run.stuck}
          units={kind.units}
          note={left}
        />
      )}
      <div className="space-y-1 text-sm">
        <Line>
          <Count run={run} kind={kind} />
          <span className="flex gap-x-4 md:whitespace-nowrap">
            {run.started_at && (
              <span className="text-text-2">
                <span className="text-text-3 max-md:hidden">elapsed </span>
                <Elapsed seconds={run.active_seconds} since={run.active_since} />
              </span>
            )}
            <span className="font-medium text-running-text empty:hidden">{left}</span>
          </span>
        </Line>
        {(isBegun || waiting) && (
          <Line>
            <Place run={run} kind={kind} waiting={waiting} />
            <span className="flex flex-wrap gap-x-4 text-text-2">
              <Numbers run={run} kind={kind} />
            </span>
          </Line>
        )}
      </div>
    </article>
  );
}

function Line({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-w-0 items-baseline justify-between gap-x-6 gap-y-0.5 max-md:flex-wrap md:[&>:last-child]:shrink-0">
      {children}
    </div>
  );
}

interface PlaceProps {
  run: RunHeader;
  kind: Kind;
  /** Why nobody takes a queued run. */
  waiting: string | null;
}

/** What it does now, or what it waits for; trouble comes first. */
function Place({ run, kind, waiting }: PlaceProps) {
  const trouble = run.status === "failed" ? run.failure?.message : survivorWords(run);
  if (trouble) return <span className="min-w-0 truncate text-fail max-md:whitespace-normal">{trouble}</span>;
  if (waiting) return <span className="min-w-0 text-warn">{waiting}</span>;
  return (
    <span className="truncate text-text-3 normal-nums max-md:empty:hidden">{placeWords(run, kind)}</span>
  );
}

function Count({ run, kind }: { run: RunHeader; kind: Kind }) {
  const { done, failed, total } = run.progress;
  const { runs } = useFleet();
  const percent = wholePercent(done, total);
  const line = lineWords(run, runs);
  if (line !== null && done === 0) return <span className="text-text-2">{line}</span>;
  if (percent === null) {
    const none = isConsole(run, kind) ? `tells no ${kind.units}` : "no count yet";
    const some = counted(done, `${kind.unit} done`, `${kind.units} done`);
    return <span className="text-text-2">{done === 0 ? none : some}</span>;
  }
  return (
    <span>
      <span className="font-semibold">{percent} %</span>
      <span className="text-text-2">
        {" "}
        · {count(done)}/{count(total)} {kind.units}
      </span>
      {failed > 0 && <span className="text-fail"> · {count(failed)} in error</span>}
    </span>
  );
}

/** The result so far, and what it has used up, with where that leads. */
function Numbers({ run, kind }: { run: RunHeader; kind: Kind }) {
  const headline = headlineOf(run, kind);
  return (
    <>
      {headline && (
        <span className="whitespace-nowrap">
          <span className="text-text-3">{within(headline.label)}</span> {headline.text}
        </span>
      )}
      {spendOf(run, kind).map((figure) => (
        <span key={figure.name} className="whitespace-nowrap">
          {figure.format === "money" ? figure.text : `${figure.text} ${within(figure.label)}`}
          <Projected figure={figure} run={run} />
        </span>
      ))}
    </>
  );
}

function Projected({ figure, run }: { figure: Figure; run: RunHeader }) {
  const { done, total } = run.progress;
  if (figure.format !== "money" || !figure.value || total === null || done < 3 || done >= total) return null;
  return <span className="text-text-3"> (~{money((figure.value / done) * total)} in total)</span>;
}
