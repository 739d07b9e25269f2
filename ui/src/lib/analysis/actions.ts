/** Which buttons a run has, and why one cannot be used now. Data in, words out. */

import type { Kind, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";

export type Action = "pause" | "free" | "resume" | "undo-pause" | "cancel" | "force" | "retry";

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
  /** Whether the job may leave during a pause. */
  readonly canRelease: boolean;
}

/** Why a run that somebody's own process executes is not started again from here. */
const ATTACHED_RETRY =
  'It ran in a terminal: start it there again. ph.run(…, resume="@last") reuses what is finished.';

/** A cancel that takes longer than this may be forced. */
const FORCE_AFTER_SECONDS = 15;

/** Whether a cancel takes so long that force may be offered, and was not asked for yet. */
export function mayForce(run: RunHeader, pendingSeconds: number): boolean {
  if (run.pending !== "cancel" || run.request?.force === true) return false;
  return pendingSeconds >= FORCE_AFTER_SECONDS || run.survivors !== null;
}

/** Whether the job may leave during a pause; a process of somebody's own stays. */
export const mayRelease = (run: RunHeader, kind: Kind): boolean => kind.can_release && !run.attached;

/** The controls of a run, in the order of their places: the safe ones first. */
export function offers(run: RunHeader, circumstances: Circumstances): readonly Offer[] {
  return offered(run, circumstances).map(([action, label, blocked]) => ({
    action,
    label,
    blocked: circumstances.offline ?? blocked ?? null,
  }));
}

type Offered = readonly [action: Action, label: string, blocked?: string];

function offered(run: RunHeader, { pendingSeconds, unit, canRelease }: Circumstances): Offered[] {
  const cancel: Offered = ["cancel", "Cancel"];
  if (isTerminal(run.status)) {
    const label = run.status === "completed" ? "Run again" : "Retry";
    return [run.attached ? ["retry", label, ATTACHED_RETRY] : ["retry", label]];
  }
  if (run.pending === "cancel")
    return mayForce(run, pendingSeconds) ? [["force", "Force stop"]] : [["cancel", "Cancelling…", STOPPING]];
  if (run.pending === "pause" && run.status === "paused")
    return [["resume", "Resume"], ["free", "Freeing memory…", "It saves, then its process leaves."], cancel];
  if (run.pending === "pause")
    return [
      ["pause", `Pausing after current ${unit}…`, `It pauses as soon as the ${unit} in hand is done.`],
      ["undo-pause", "Undo pause"],
      cancel,
    ];
  if (run.pending === "resume") return [["resume", "Resuming…", "It was asked to go on."], cancel];
  if (run.status !== "paused") return [["pause", "Pause"], cancel];
  const free: Offered[] = run.strength === "hold" && canRelease ? [["free", "Free memory"]] : [];
  return [["resume", "Resume"], ...free, cancel];
}

const STOPPING = "It usually takes 1 to 3 seconds.";
