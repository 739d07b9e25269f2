import { Link } from "@tanstack/react-router";
import { Snowflake, SquareTerminal } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { isTerminal, type Kind, type Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { ProgressBar } from "@/components/base/ProgressBar";
import { RelativeTime } from "@/components/base/Time";
import { ExportMenu } from "@/components/run/ExportMenu";
import { MoreMenu } from "@/components/run/MoreMenu";
import { RunBadge } from "@/components/run/RunBadge";
import { RunCards } from "@/components/run/RunCards";
import { RunControls, type RunControlsProps } from "@/components/run/RunControls";
import { RunName } from "@/components/run/RunName";
import { RunProgress } from "@/components/run/RunProgress";
import { RunRemark } from "@/components/run/RunRemark";
import type { Remaining } from "@/components/run/useRemaining";
import type { RunSteering } from "@/components/run/useSteering";
import { commandOf } from "@/lib/analysis/command";
import { cn } from "@/lib/cn";
import { wholePercent } from "@/lib/format";

export interface RunHeaderProps {
  run: Run;
  kind: Kind;
  elapsed: number;
  remaining: Remaining;
  steering: RunSteering;
  isFresh: boolean;
  isStale: boolean;
  isFrozen: boolean;
  onFreeze: () => void;
  onRename: (name: string) => void;
  onDelete: () => Promise<void>;
}

/** Who this run is, how it stands, what can be done with it. One line of it stays when the page scrolls. */
export function RunHeader(props: RunHeaderProps) {
  const {
    run,
    kind,
    elapsed,
    remaining,
    steering,
    isFresh,
    isStale,
    isFrozen,
    onFreeze,
    onRename,
    onDelete,
  } = props;
  const whole = useRef<HTMLElement>(null);
  const isGone = useScrolledOut(whole);
  const controls = { offers: steering.offers, onAct: steering.act, onPause: steering.pause, run, kind };
  return (
    <>
      <CompactHeader {...props} controls={controls} isShown={isGone} />
      <header ref={whole} className="space-y-4 pb-5">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <nav aria-label="Breadcrumb" className="flex min-w-0 items-center gap-2 max-md:w-full">
            <Link to="/runs" className="text-text-3 text-xl hover:text-text max-md:hidden">
              Runs
            </Link>
            <span aria-hidden className="text-text-3 text-xl max-md:hidden">
              /
            </span>
            <RunName name={run.name} onRename={onRename} />
          </nav>
          <Subtitle run={run} kind={kind} />
        </div>
        <CommandLine run={run} />
        <div className="flex flex-wrap items-center gap-3">
          <RunBadge run={run} kind={kind} isFresh={isFresh} large wraps />
          {steering.isSlow && <span className="text-sm text-text-3">Still asking…</span>}
          <RunRemark run={run} />
          <div className="ml-auto flex items-center gap-2">
            <Button
              look="ghost"
              icon={<Snowflake aria-hidden />}
              aria-label={isFrozen ? "Unfreeze the view" : "Freeze the view"}
              aria-pressed={isFrozen}
              shortcut="f"
              onClick={onFreeze}
              className="aria-pressed:bg-running-soft aria-pressed:text-running-text max-md:hidden"
            />
            <ExportMenu runId={run.id} units={kind.units} />
            <MoreMenu run={run} onDelete={onDelete} />
            <div className="max-md:hidden">
              <RunControls {...controls} />
            </div>
          </div>
        </div>
        <RunProgress
          run={run}
          kind={kind}
          remaining={remaining.seconds === null ? null : `${remaining.text} remaining`}
          isStale={isStale}
        />
        <RunCards
          run={run}
          kind={kind}
          elapsed={elapsed}
          left={remaining.text}
          leftHint={remaining.hint}
          isStale={isStale}
        />
      </header>
      <PhoneBar>
        <RunControls {...controls} place="bar" />
      </PhoneBar>
    </>
  );
}

/** Number, kind, who started it and when, which attempt. */
function Subtitle({ run, kind }: { run: Run; kind: Kind }) {
  return (
    <p className="flex min-w-0 flex-wrap items-center gap-1.5 text-sm text-text-3">
      <span title={run.id}>#{run.number}</span>
      <Copy text={run.id} aria-label="Copy the run's id" className="-ml-1 max-md:hidden" />
      <span aria-hidden>·</span>
      <span>{kind.title}</span>
      <span aria-hidden>·</span>
      <span className="truncate">
        by {run.owner}, <RelativeTime time={run.started_at ?? run.created_at} />
      </span>
      {run.attempt > 1 && (
        <>
          <span aria-hidden>·</span>
          <span title={`${run.crashes} of the attempts before it crashed`}>attempt {run.attempt}</span>
        </>
      )}
      {run.attached && (
        <>
          <span aria-hidden>·</span>
          <span className="inline-flex items-center gap-1">
            <SquareTerminal aria-hidden size={14} />
            {isTerminal(run.status) ? "ran in a terminal" : "runs in your terminal"} (attached)
          </span>
        </>
      )}
    </p>
  );
}

/** The command of a run that is one. */
function CommandLine({ run }: { run: Run }) {
  const command = commandOf(run);
  if (command === null) return null;
  return (
    <p className="flex min-w-0 items-center gap-1.5 font-mono text-sm text-text-2">
      <span aria-hidden className="select-none text-text-3">
        $
      </span>
      <span className="min-w-0 truncate" title={command}>
        {command}
      </span>
      <Copy text={command} aria-label="Copy the command" />
    </p>
  );
}

interface CompactHeaderProps extends RunHeaderProps {
  controls: RunControlsProps;
  isShown: boolean;
}

/** The header in one row. It lies over the page, so that nothing moves when it comes. */
function CompactHeader({ run, kind, controls, isFresh, remaining, isShown }: CompactHeaderProps) {
  const percent = wholePercent(run.progress.done, run.progress.total);
  return (
    <div className="sticky top-(--bar) z-20 h-0">
      <div
        inert={!isShown}
        aria-hidden={!isShown}
        className={cn(
          "-mx-4 absolute inset-x-0 border-line border-b bg-card px-4 transition-opacity md:-mx-6 md:px-6",
          isShown ? "opacity-100" : "pointer-events-none opacity-0",
        )}
      >
        <div className="flex h-12 items-center gap-4">
          <RunBadge
            run={run}
            kind={kind}
            isFresh={isFresh}
            className="max-md:max-w-[60%] max-md:[&>:nth-child(2)]:hidden"
          />
          <p className="min-w-0 truncate font-semibold">{run.name}</p>
          <p className="shrink-0 text-sm text-text-2">
            {percent !== null && `${percent} %`}
            {remaining.seconds !== null && (
              <span className="text-text-3 max-sm:hidden"> · {remaining.text} remaining</span>
            )}
          </p>
          <div className="ml-auto max-md:hidden">
            <RunControls {...controls} />
          </div>
        </div>
        <div aria-hidden className="absolute inset-x-0 -bottom-px h-0.5 overflow-hidden">
          <ProgressBar progress={run.progress} status={run.status} stuck={run.stuck} units={kind.units} />
        </div>
      </div>
    </div>
  );
}

/** Pause and Cancel under the thumb, above the navigation. */
function PhoneBar({ children }: { children: React.ReactNode }) {
  return (
    <div className="fixed inset-x-0 bottom-(--foot) z-30 border-line border-t bg-card px-4 py-2 md:hidden">
      {children}
    </div>
  );
}

function useScrolledOut(element: React.RefObject<HTMLElement | null>): boolean {
  const [isOut, setOut] = useState(false);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => setOut(entry !== undefined && !entry.isIntersecting),
      {
        rootMargin: "-52px 0px 0px 0px",
      },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return isOut;
}
