/** Which buttons a run has, and why one cannot be used now. Data in, words out. */

import type { Run } from "@/api/types";
import { isTerminal } from "@/api/types";

export type Action = "pause" | "resume" | "undo-pause" | "cancel" | "force" | "retry";

export interface Offer {
  readonly action: Action;
  readonly label: string;
  /** Null: it can be used. */
  readonly blocked: string | null;
}

export interface Circumstances {
  /** Null while the server can be reached, else why it cannot. */
  readonly offline: string | null;
  /** Seconds since the control that is pending was asked for. */
  readonly pendingSeconds: number;
  readonly unit: string;
}

/** A cancel that takes longer than this may be forced. */
export const FORCE_AFTER_SECONDS = 15;

/** The controls of a run, in the order of their places: the safe ones first. */
export function offers(run: Run, { offline, pendingSeconds, unit }: Circumstances): readonly Offer[] {
  const offer = (action: Action, label: string, blocked: string | null = null): Offer => ({
    action,
    label,
    blocked: offline ?? blocked,
  });
  if (isTerminal(run.status)) return [offer("retry", run.status === "completed" ? "Run again" : "Retry")];
  if (run.pending === "cancel") {
    const isOverdue = pendingSeconds >= FORCE_AFTER_SECONDS && run.request?.force !== true;
    return [
      isOverdue
        ? offer("force", "Force stop")
        : offer("cancel", "Cancelling…", "It usually takes 1 to 3 seconds."),
    ];
  }
  const cancel = offer("cancel", "Cancel");
  if (run.pending === "pause") {
    return [
      offer("pause", `Pausing after current ${unit}…`, `It pauses as soon as the ${unit} in hand is done.`),
      offer("undo-pause", "Undo pause"),
      cancel,
    ];
  }
  if (run.pending === "resume") return [offer("resume", "Resuming…", "It was asked to go on."), cancel];
  if (run.status === "paused") return [offer("resume", "Resume"), cancel];
  if (run.status === "queued") return [cancel];
  return [offer("pause", "Pause"), cancel];
}
