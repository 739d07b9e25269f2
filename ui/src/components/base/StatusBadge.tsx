import {
  Ban,
  Check,
  Clock,
  LoaderCircle,
  type LucideIcon,
  OctagonX,
  Pause,
  TriangleAlert,
} from "lucide-react";
import type { Control, Status } from "@/api/types";
import { Tooltip } from "@/components/base/Tooltip";
import { cn } from "@/lib/cn";

interface Look {
  icon: LucideIcon;
  label: string;
  /** Chip and word. */
  chip: string;
  /** Dot, bar or edge. */
  fill: string;
  about: string;
}

export const STATUS_LOOKS = {
  queued: {
    icon: Clock,
    label: "Queued",
    chip: "bg-queued-soft text-queued-text",
    fill: "bg-queued",
    about: "Queued: waits for a free slot.",
  },
  running: {
    icon: LoaderCircle,
    label: "Running",
    chip: "bg-running-soft text-running-text",
    fill: "bg-running",
    about: "Running: its process is at work.",
  },
  paused: {
    icon: Pause,
    label: "Paused",
    chip: "bg-paused-soft text-paused-text",
    fill: "bg-paused",
    about: "Paused: keeps its place and its results.",
  },
  completed: {
    icon: Check,
    label: "Completed",
    chip: "bg-completed-soft text-completed-text",
    fill: "bg-completed",
    about: "Completed: did all it had to do.",
  },
  failed: {
    icon: OctagonX,
    label: "Failed",
    chip: "bg-failed-soft text-failed-text",
    fill: "bg-failed",
    about: "Failed: ended without doing its work; what was finished is kept.",
  },
  cancelled: {
    icon: Ban,
    label: "Cancelled",
    chip: "bg-cancelled-soft text-cancelled-text",
    fill: "bg-cancelled",
    about: "Cancelled: stopped on request; what was finished is kept.",
  },
} satisfies Record<Status, Look>;

const ASKED = { pause: "Pausing…", resume: "Resuming…", cancel: "Cancelling…" } satisfies Record<
  Control,
  string
>;
const ASKED_CHIP = {
  pause: STATUS_LOOKS.paused.chip,
  resume: STATUS_LOOKS.running.chip,
  cancel: STATUS_LOOKS.cancelled.chip,
} satisfies Record<Control, string>;

export interface StatusBadgeProps {
  status: Status;
  pending?: Control | null;
  stuck?: boolean;
  /** Replaces the word, such as "Pausing after current test…" or "Paused by ana". */
  label?: string | undefined;
  large?: boolean;
  /** On phones long words take several lines instead of being cut. */
  wraps?: boolean;
  className?: string;
}

/** A run's status as icon and word, never colour alone. A pending control replaces the word. */
export function StatusBadge({
  status,
  pending = null,
  stuck = false,
  label,
  large = false,
  wraps = false,
  className,
}: StatusBadgeProps) {
  const look = STATUS_LOOKS[status];
  const isStuck = stuck && status === "running" && !pending;
  const Icon = isStuck ? TriangleAlert : look.icon;
  const chip = isStuck ? "bg-stuck-soft text-stuck-text" : pending ? ASKED_CHIP[pending] : look.chip;
  const word = label ?? plainWord(status, pending, isStuck);
  const about = isStuck
    ? "Stuck: its process is alive, but nothing has come from it for longer than its kind's limit."
    : look.about;
  return (
    <Tooltip text={label ? `${label}. ${about}` : about}>
      <span
        data-status={status}
        className={cn(
          "inline-flex max-w-full shrink-0 items-center rounded-full font-medium",
          large ? "gap-1.5 px-3 py-1 text-sm" : "gap-1 px-2 py-0.5 text-xs",
          chip,
          wraps && "max-md:rounded-2xl",
          status === "running" && !isStuck && "[&>svg]:animate-spin",
          className,
        )}
      >
        <Icon aria-hidden size={large ? 16 : 13} strokeWidth={2.25} className="shrink-0" />
        <span className={wraps ? "md:truncate" : "truncate"}>{word}</span>
      </span>
    </Tooltip>
  );
}

const plainWord = (status: Status, pending: Control | null, isStuck: boolean): string =>
  pending ? ASKED[pending] : isStuck ? "Stuck" : STATUS_LOOKS[status].label;

/** ● LIVE: the run is running and its stream is fresh. */
export function LiveDot({ className }: { className?: string }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1 font-semibold text-2xs text-completed-text tracking-wide",
        className,
      )}
    >
      <span aria-hidden className="size-1.5 animate-live rounded-full bg-completed" />
      LIVE
    </span>
  );
}
