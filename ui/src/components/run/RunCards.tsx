import type { ReactNode } from "react";
import { isTerminal, type Kind, type Run } from "@/api/types";
import { Elapsed } from "@/components/base/Time";
import { STALE } from "@/components/run/RunProgress";
import { isConsole } from "@/lib/analysis/sentence";
import { cn } from "@/lib/cn";
import { count, formatted, NONE, rate } from "@/lib/format";
import { capital } from "@/lib/status";

export interface RunCardsProps {
  run: Run;
  kind: Kind;
  elapsed: number;
  /** "~5m", "estimating…" or "–". */
  left: string;
  leftHint: string;
  isStale: boolean;
}

/** Elapsed, left, items and speed; the headline and the money where the kind reports them. */
export function RunCards({ run, kind, elapsed, left, leftHint, isStale }: RunCardsProps) {
  const { done, reused, failed, total } = run.progress;
  const speed = done - reused > 0 && elapsed >= 1 ? rate((done - reused) / elapsed) : NONE;
  const headline = kind.metrics.find((metric) => metric.name === kind.headline);
  const isQuiet = isConsole(run, kind);
  const money = kind.metrics.find((metric) => metric.format === "money");
  return (
    <dl
      className={cn(
        "flex flex-wrap gap-x-10 gap-y-3 max-md:justify-between max-md:gap-x-3",
        isStale && STALE,
      )}
    >
      <Fact label="Elapsed">
        <Elapsed seconds={run.active_seconds} since={run.active_since} />
      </Fact>
      {!isTerminal(run.status) && !isQuiet && (
        <Fact label="Left" className={left === NONE ? "text-text-3" : "text-running-text"} title={leftHint}>
          {left}
        </Fact>
      )}
      {run.phase?.of != null && run.phase.of > 1 && (
        <Fact label={kind.units === "steps" ? "Phase" : "Steps"} note={run.phase.name}>
          {run.phase.index} / {run.phase.of}
        </Fact>
      )}
      {isQuiet ? (
        <ExitCode run={run} />
      ) : (
        <Fact label={capital(kind.units)}>
          {count(done)}
          {total !== null && <span className="font-normal text-text-3"> / {count(total)}</span>}
        </Fact>
      )}
      {headline && (
        <Fact label={headline.label}>{formatted(run.metrics[headline.name], headline.format)}</Fact>
      )}
      {!isQuiet && (
        <>
          <Fact label="Rate" isExtra>
            {speed}
          </Fact>
          <Fact label="Errors" className={cn(failed > 0 && "text-fail")} isExtra>
            {count(failed)}
          </Fact>
        </>
      )}
      {money && (
        <Fact label={money.label} isExtra>
          {formatted(run.metrics[money.name], "money")}
        </Fact>
      )}
    </dl>
  );
}

/** How a command ended; nothing while it runs. */
function ExitCode({ run }: { run: Run }) {
  if (run.status === "completed") return <Fact label="Exit code">0</Fact>;
  const { exit_code: code = null, signal = null } = run.failure ?? {};
  if (code === null && signal === null) return null;
  return (
    <Fact label={signal === null ? "Exit code" : "Signal"} className="text-fail">
      {signal ?? code}
    </Fact>
  );
}

interface FactProps {
  label: string;
  children: ReactNode;
  note?: string;
  title?: string;
  className?: string;
  /** Left out on phones, where the cards are one line. */
  isExtra?: boolean;
}

function Fact({ label, children, note, title, className, isExtra = false }: FactProps) {
  return (
    <div className={cn("min-w-16 max-md:min-w-0", isExtra && "max-md:hidden")} title={title}>
      <dt className="text-text-3 text-xs">{label}</dt>
      <dd className={cn("whitespace-nowrap font-semibold text-xl max-md:text-lg", className)}>{children}</dd>
      {note && <dd className="max-w-40 truncate text-text-3 text-xs">{note}</dd>}
    </div>
  );
}
