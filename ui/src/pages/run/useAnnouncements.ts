import { useEffect, useRef } from "react";
import type { Kind, Run } from "@/api/types";
import { alarm, announce } from "@/lib/announce";
import { count, wholePercent } from "@/lib/format";
import { survivorWords } from "@/lib/status";

const QUARTERS = [25, 50, 75, 100];
const PAUSE_MS = 15_000;

/** For those who do not see the page: changes of state at once, progress by quarters. */
export function useAnnouncements(run: Run, kind: Kind): void {
  const last = useRef({ status: run.status, quarter: quarterOf(run), at: 0 });
  const trouble = run.stuck ? `${run.name} looks stuck` : survivorWords(run);
  useEffect(() => {
    if (trouble !== null) announce(trouble);
  }, [trouble]);
  useEffect(() => {
    const before = last.current;
    const quarter = quarterOf(run);
    if (run.status !== before.status) {
      const words = `${run.name} is ${run.status}`;
      if (run.status === "failed") alarm(`${words}. ${run.failure?.message ?? ""}`);
      else announce(words);
      last.current = { status: run.status, quarter, at: Date.now() };
    } else if (quarter > before.quarter && Date.now() - before.at >= PAUSE_MS) {
      announce(`${quarter} percent, ${count(run.progress.done)} ${kind.units} done`);
      last.current = { ...before, quarter, at: Date.now() };
    }
  }, [run, kind.units]);
}

function quarterOf(run: Run): number {
  const percent = wholePercent(run.progress.done, run.progress.total) ?? 0;
  return QUARTERS.findLast((quarter) => percent >= quarter) ?? 0;
}
