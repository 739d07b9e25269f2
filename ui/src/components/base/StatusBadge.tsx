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
  about: string;
}

export const STATUS_LOOKS = {
  queued: {
    icon: Clock,
    label: "Queued",
    chip: "bg-queued-soft text-queued-text",
    about: "Queued: waits for a free slot.",
  },
  running: {
    icon: LoaderCircle,
    label: "Running",
    chip: "bg-running-soft text-running-text",
    about: "Running: its process is at work.",
  },
  paused: {
    icon: Pause,
    label: "Paused",
    chip: "bg-paused-soft text-paused-text",
    about: "Paused: keeps its place and its results.",
  },
  completed: {
    icon: Check,
    label: "Completed",
    chip: "bg-completed-soft text-completed-text",
    about: "Completed: did all it had to do.",
  },
  failed: {
    icon: OctagonX,
    label: "Failed",
    chip: "bg-failed-soft text-failed-text",
    about: "Failed: ended without doing its work; what was finished is kept.",
  },
  cancelled: {
    icon: Ban,
    label: "Cancelled",
    chip: "bg-cancelled-soft text-cancelled-text",
    about: "Cancelled: stopped on request; what was finished is kept.",
  },
} satisfies Record<Status, Look>;

/** A control that is not yet obeyed has the shape and the colour of what it leads to. */
const ASKED = {
  pause: { ...STATUS_LOOKS.paused, label: "Pausing…" },
  resume: { ...STATUS_LOOKS.running, label: "Resuming…" },
  cancel: { ...STATUS_LOOKS.cancelled, label: "Cancelling…" },
} satisfies Record<Control, Look>;

const STUCK = {
  icon: TriangleAlert,
  label: "Stuck",
  chip: "bg-stuck-soft text-stuck-text",
  about: "Stuck: its process is alive, but nothing has come from it for longer than its kind's limit.",
} satisfies Look;

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
  const look = pending ? ASKED[pending] : stuck && status === "running" ? STUCK : STATUS_LOOKS[status];
  const { icon: Icon, chip } = look;
  // Until a control is obeyed, the status tells what is.
  const { about } = pending ? STATUS_LOOKS[status] : look;
  return (
    <Tooltip text={label ? `${label}. ${about}` : about}>
      <span
        data-status={status}
        className={cn(
          "inline-flex max-w-full shrink-0 items-center rounded-full font-medium",
          large ? "gap-1.5 px-3 py-1 text-sm" : "gap-1 px-2 py-0.5 text-xs",
          chip,
          wraps && "max-md:rounded-2xl",
          Icon === LoaderCircle && "[&>svg]:animate-spin",
          className,
        )}
      >
        <Icon aria-hidden size={large ? 16 : 13} strokeWidth={2.25} className="shrink-0" />
        <span className={wraps ? "md:truncate" : "truncate"}>{label ?? look.label}</span>
      </span>
    </Tooltip>
  );
}

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
