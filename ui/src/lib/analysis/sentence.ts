/** What a run is doing now, in one line. */

import type { Kind, Run } from "@/api/types";
import { count, counted } from "@/lib/format";

/** "Test 201 of 500: offline × strict" or "Step 3 of 8: Training". */
export function doing(run: Run, kind: Kind): string {
  const { done, total } = run.progress;
  const unit = kind.unit.charAt(0).toUpperCase() + kind.unit.slice(1);
  if (run.status === "queued")
    return run.attempt > 0 ? "Waiting for a free slot to go on" : "Waiting for a free slot";
  if (run.status !== "running") return summary(run, kind);
  if (total === null) return run.current ? `${unit} ${count(done + 1)}: ${run.current}` : summary(run, kind);
  const place = `${unit} ${count(Math.min(total, done + 1))} of ${count(total)}`;
  if (done >= total) return run.phase ? `${run.phase.name}: finishing` : "Finishing";
  return run.current ? `${place}: ${run.current}` : place;
}

function summary(run: Run, kind: Kind): string {
  const { done, total } = run.progress;
  if (total === null) return `${counted(done, kind.unit, kind.units)} done, total unknown`;
  return `${count(done)} of ${counted(total, kind.unit, kind.units)} done`;
}
