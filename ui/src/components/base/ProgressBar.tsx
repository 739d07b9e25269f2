import type { Progress, Status } from "@/api/types";
import { cn } from "@/lib/cn";
import { count, wholePercent } from "@/lib/format";

const FILL = {
  queued: "bg-queued",
  running: "bg-running",
  paused: "bg-paused hatch [--hatch:var(--track)]",
  completed: "bg-completed",
  failed: "bg-failed",
  cancelled: "bg-cancelled",
} satisfies Record<Status, string>;

export interface ProgressBarProps {
  progress: Progress;
  status: Status;
  units: string;
  stuck?: boolean;
  /** Words such as "about 5 minutes remaining", for screen readers. */
  note?: string;
  className?: string;
}

/** Done, the part in error hatched, and the rest. An unknown total shows a moving segment, never a percentage. */
export function ProgressBar({ progress, status, units, stuck = false, note, className }: ProgressBarProps) {
  const { done, failed, total } = progress;
  const share = total ? Math.min(1, done / total) : status === "completed" ? 1 : 0;
  const errors = total ? Math.min(1, failed / total) : 0;
  const text =
    total === null ? `${count(done)} ${units}, total unknown` : `${count(done)} of ${count(total)} ${units}`;
  const moving = total === null && status === "running";
  return (
    <div
      role="progressbar"
      aria-label="Progress"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={wholePercent(done, total) ?? undefined}
      aria-valuetext={note ? `${text}, ${note}` : text}
      className={cn("relative h-2 w-full overflow-hidden rounded-full bg-track", className)}
    >
      {moving && <span className="absolute inset-y-0 w-1/4 animate-slide rounded-full bg-running" />}
      <span
        className={cn(
          "absolute inset-y-0 left-0 transition-[width] duration-300 ease-out",
          stuck && status === "running" ? "bg-stuck" : FILL[status],
        )}
        style={{ width: `${share * 100}%` }}
      />
      {errors > 0 && (
        <span
          className="hatch absolute inset-y-0 bg-failed transition-[left,width] duration-300 ease-out [--hatch:var(--card)]"
          style={{ left: `${(share - errors) * 100}%`, width: `${errors * 100}%` }}
        />
      )}
    </div>
  );
}
