/** A run's state in words: what was asked and who asked come before the plain word. */

import type { Kind, RunHeader } from "@/api/types";
import { agoShort } from "@/lib/format";

/** Undefined where the plain word of the status says it all. */
export function statusWords(run: RunHeader, kind: Kind, now: number): string | undefined {
  if (run.pending === "pause") return `Pausing after current ${kind.unit}…`;
  if (run.pending) return undefined;
  if (run.stuck && run.last_event_at) return `Stuck ${agoShort(run.last_event_at, now)}`;
  if (run.status === "paused" && run.paused_by) return `Paused by ${run.paused_by}`;
  if (run.status === "cancelled" && run.ended_by) return `Cancelled by ${run.ended_by}`;
  return undefined;
}

/** "Test 201 of 500: qwen × strict", "Step 3 of 8: Training", or nothing yet. */
export function placeWords(run: RunHeader, kind: Kind): string {
  const { done, total } = run.progress;
  const unit = kind.unit.charAt(0).toUpperCase() + kind.unit.slice(1);
  if (run.current) {
    const place = total === null ? `${unit} ${done + 1}` : `${unit} ${Math.min(done + 1, total)} of ${total}`;
    return `${place}: ${run.current}`;
  }
  if (run.phase && run.status === "running") {
    const { name, index, of } = run.phase;
    return index !== null && of !== null && of > 1 ? `${name} (${index} of ${of})` : name;
  }
  return run.notice ?? "";
}
