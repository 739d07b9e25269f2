/** What a run in a list does now, in words. */

import type { Kind, RunHeader } from "@/api/types";
import { capital } from "@/lib/status";

/** "Test 201 of 500: qwen × strict", "Step 3 of 8: Training", or nothing yet. */
export function placeWords(run: RunHeader, kind: Kind): string {
  const { done, total } = run.progress;
  if (run.current) {
    const unit = capital(kind.unit);
    const place = total === null ? `${unit} ${done + 1}` : `${unit} ${Math.min(done + 1, total)} of ${total}`;
    return `${place}: ${run.current}`;
  }
  if (run.phase && run.status === "running") {
    const { name, index, of } = run.phase;
    return index !== null && of !== null && of > 1 ? `${name} (${index} of ${of})` : name;
  }
  return run.notice ?? "";
}
