import type { Kind, Run } from "@/api/types";
import { LiveDot, StatusBadge } from "@/components/base/StatusBadge";
import { cn } from "@/lib/cn";
import { agoShort } from "@/lib/format";
import { useNow } from "@/lib/now";

export interface RunBadgeProps {
  run: Run;
  kind: Kind;
  /** The stream is fresh. */
  isFresh: boolean;
  large?: boolean;
  className?: string;
}

/** The status in words: what was asked for and who asked come before the plain word. */
export function RunBadge({ run, kind, isFresh, large = false, className }: RunBadgeProps) {
  const now = useNow();
  const isLive = isFresh && run.status === "running" && run.pending === null && !run.stuck;
  return (
    <span className={cn("inline-flex max-w-full shrink-0 items-center gap-2.5", className)}>
      <StatusBadge
        status={run.status}
        pending={run.pending}
        stuck={run.stuck}
        label={wordsFor(run, kind, now)}
        large={large}
      />
      {isLive && <LiveDot />}
    </span>
  );
}

/** Undefined where the plain word of the status says it all. */
function wordsFor(run: Run, kind: Kind, now: number): string | undefined {
  if (run.pending === "pause") return `Pausing after current ${kind.unit}…`;
  if (run.pending !== null) return undefined;
  if (run.stuck && run.last_event_at) return `Stuck ${agoShort(run.last_event_at, now)}`;
  if (run.status === "paused" && run.paused_by) return `Paused by ${run.paused_by}`;
  if (run.status === "cancelled" && run.ended_by) return `Cancelled by ${run.ended_by}`;
  if (run.status === "queued" && run.attempt > 0) return "Resuming…";
  return undefined;
}
