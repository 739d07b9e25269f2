/** What a run is doing now, in one line. */

import type { Failure, Kind, Run, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { count, counted } from "@/lib/format";
import { capital } from "@/lib/status";

/** A run that has told no items and no total: its console is what there is to see. */
export function isConsole(run: RunHeader, kind: Kind): boolean {
  const { done, total } = run.progress;
  return kind.name === "script" && done === 0 && total === null;
}

/** What is in hand; else how far it is, or what it waits for. */
export function doing(run: Run, kind: Kind): string {
  const { done, total } = run.progress;
  if (run.status === "queued") return waiting(run);
  if (isConsole(run, kind)) return consoleWords(run);
  if (run.status !== "running") return summary(run, kind);
  if (total === null) return run.current ? inHand(run, kind) : summary(run, kind);
  if (done >= total) return run.phase ? `${run.phase.name}: finishing` : "Finishing";
  return inHand(run, kind);
}

/** "Test 201 of 500: offline × strict", as far as it is known. */
export function inHand(run: RunHeader, kind: Kind): string {
  const { done, total } = run.progress;
  const number = total === null ? count(done + 1) : `${count(Math.min(total, done + 1))} of ${count(total)}`;
  const place = `${capital(kind.unit)} ${number}`;
  return run.current ? `${place}: ${run.current}` : place;
}

function waiting(run: Run): string {
  if (run.attached) return "Waiting for its process to go on";
  return run.attempt > 0 ? "Waiting to go on" : "Waiting to begin";
}

/** What there is to say of a command that tells nothing but lines. */
function consoleWords(run: Run): string {
  if (run.status === "running") return run.phase?.name ?? "At work; it tells no items";
  return run.status === "completed" ? "Ended well" : "";
}

/** "exit code 3", "ended by signal 9", or nothing. */
export function exitWords({ exit_code, signal }: Failure): string {
  if (signal !== null) return `ended by signal ${signal}`;
  return exit_code === null ? "" : `exit code ${exit_code}`;
}

function summary(run: Run, kind: Kind): string {
  const { done, total } = run.progress;
  if (total === null) {
    const words = `${counted(done, kind.unit, kind.units)} done`;
    return isTerminal(run.status) ? words : `${words}, total unknown`;
  }
  return `${count(done)} of ${counted(total, kind.unit, kind.units)} done`;
}
