import type { Kind, Run } from "@/api/types";
import { isTerminal } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { doing, isConsole } from "@/lib/analysis/sentence";
import { cn } from "@/lib/cn";
import { count, counted, wholePercent } from "@/lib/format";

export interface RunProgressProps {
  run: Run;
  kind: Kind;
  /** "~5m remaining", said to screen readers with the bar. */
  remaining: string | null;
  isStale: boolean;
}

/** The bar, and one line in words: what is in hand, how much is done, in error and to go. */
export function RunProgress({ run, kind, remaining, isStale }: RunProgressProps) {
  const { done, failed, total } = run.progress;
  const percent = wholePercent(done, total);
  const left = total === null || isTerminal(run.status) ? null : total - done;
  return (
    <div className={cn("space-y-2", isStale && STALE)}>
      <ProgressBar
        progress={run.progress}
        status={run.status}
        stuck={run.stuck}
        units={kind.units}
        {...(remaining === null ? {} : { note: remaining })}
      />
      <div className="flex items-baseline gap-x-5 text-sm max-sm:flex-wrap">
        <p className="min-w-0 truncate text-text-2 max-sm:w-full">{doing(run, kind)}</p>
        {!isConsole(run, kind) && (
          <dl className="ml-auto flex shrink-0 items-baseline gap-x-4 text-text-2 max-sm:ml-0">
            {percent !== null && <dd className="font-semibold text-text">{percent} %</dd>}
            <dd>
              <span className="text-pass">✓</span> {count(done - failed)}
            </dd>
            {failed > 0 && <dd className="text-fail">! {counted(failed, "error", "errors")}</dd>}
            {left !== null && left > 0 && <dd>{count(left)} to go</dd>}
          </dl>
        )}
      </div>
    </div>
  );
}

/** Numbers that may be old: underlined with dots until news comes. */
export const STALE = "[&_dd]:underline [&_dd]:decoration-dotted [&_dd]:underline-offset-4";
