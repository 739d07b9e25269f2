import type { ReactNode } from "react";
import type { Kind, Run } from "@/api/types";
import { isTerminal } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { lineWords } from "@/components/fleet/words";
import { doing, isConsole } from "@/lib/analysis/sentence";
import { cn } from "@/lib/cn";
import { count, counted, wholePercent } from "@/lib/format";
import { useFleet } from "@/live/hooks";

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
  const { runs } = useFleet();
  const words = [doing(run, kind), lineWords(run, runs)].filter(Boolean).join(", ");
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
        <p className="min-w-0 truncate text-text-2 max-sm:w-full">{words}</p>
        {!isConsole(run, kind) && run.started_at !== null && (
          <dl className="ml-auto flex shrink-0 items-baseline gap-x-4 text-text-2 max-sm:ml-0">
            {percent !== null && (
              <Fact name="Share done" className="font-semibold text-text">
                {percent} %
              </Fact>
            )}
            <Fact name="Done well">
              <span aria-hidden className="text-pass">
                ✓
              </span>{" "}
              {count(done - failed)}
            </Fact>
            {failed > 0 && (
              <Fact name="In error" className="text-fail">
                ! {counted(failed, "error", "errors")}
              </Fact>
            )}
            {left !== null && left > 0 && <Fact name="Left">{count(left)} to go</Fact>}
          </dl>
        )}
      </div>
    </div>
  );
}

interface FactProps {
  /** For those who do not see what the number stands beside. */
  name: string;
  children: ReactNode;
  className?: string;
}

function Fact({ name, children, className }: FactProps) {
  return (
    <div className={cn("relative", className)}>
      <dt className="sr-only">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Numbers that may be old: underlined with dots until news comes. */
export const STALE = "[&_dd]:underline [&_dd]:decoration-dotted [&_dd]:underline-offset-4";
