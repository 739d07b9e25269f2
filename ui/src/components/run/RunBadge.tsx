import type { Kind, RunHeader } from "@/api/types";
import { LiveDot, StatusBadge } from "@/components/base/StatusBadge";
import { useStatusWords } from "@/components/run/useStatus";
import { cn } from "@/lib/cn";

export interface RunBadgeProps {
  run: RunHeader;
  kind: Kind;
  /** The stream is fresh. */
  isFresh?: boolean;
  large?: boolean;
  wraps?: boolean;
  className?: string;
}

/** The status in words: what was asked for and who asked come before the plain word. */
export function RunBadge({
  run,
  kind,
  isFresh = false,
  large = false,
  wraps = false,
  className,
}: RunBadgeProps) {
  const label = useStatusWords(run, kind);
  const isLive = isFresh && run.status === "running" && run.pending === null && !run.stuck;
  return (
    <span className={cn("inline-flex min-w-0 max-w-full items-center gap-2.5", className)}>
      <StatusBadge
        status={run.status}
        pending={run.pending}
        stuck={run.stuck}
        label={label}
        large={large}
        wraps={wraps}
        className="shrink"
      />
      {isLive && <LiveDot />}
    </span>
  );
}
