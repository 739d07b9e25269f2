import { OctagonX } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import type { Kind, Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { exitWords, isConsole } from "@/lib/analysis/sentence";
import { clock, count, counted } from "@/lib/format";

export interface FailureCardProps {
  run: Run;
  kind: Kind;
  onLogs: () => void;
  retry: ReactNode;
}

/** Why a run failed: what happened, what it means for the run, what to do. */
export function FailureCard({ run, kind, onLogs, retry }: FailureCardProps) {
  const { failure } = run;
  if (run.status !== "failed" || failure === null) return null;
  const { done, failed } = run.progress;
  const place = placeOf(run, kind);
  const kept = done - failed;
  return (
    <section
      aria-label="Why it failed"
      className="rounded-lg border border-line bg-failed-soft p-4 text-failed-text md:grid md:grid-cols-[1fr_auto] md:gap-x-3"
    >
      <h2 className="flex items-center gap-2 font-semibold">
        <OctagonX aria-hidden size={18} className="shrink-0" />
        <span>
          Failed after {clock(run.active_seconds)}
          {place}
        </span>
      </h2>
      <div className="col-span-2 mt-2 min-w-0">
        <p className="whitespace-pre-wrap break-words font-medium">{failure.message}</p>
        {failure.where && <p className="mt-1 break-words font-mono text-xs">{failure.where}</p>}
        <p className="mt-1 text-sm">
          {failure.hint && `${failure.hint} `}
          {run.attempt > 1 && `This was attempt ${run.attempt}. `}
          {kept > 0 && `${counted(kept, "result is", "results are")} kept and reused by a retry.`}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-2 text-text max-md:mt-3 md:col-start-2 md:row-start-1">
        <div className="max-md:hidden">{retry}</div>
        <Copy text={asText(run)} look="secondary" size="md">
          Copy error
        </Copy>
        <Button onClick={onLogs}>Show logs</Button>
      </div>
      {failure.tail && (
        <Tail
          text={failure.tail}
          title={run.kind === "script" ? "Its last lines" : "Full traceback"}
          isOpen={isConsole(run, kind)}
        />
      )}
    </section>
  );
}

/** What it said last, at its end: there the cause stands. */
function Tail({ text, title, isOpen }: { text: string; title: string; isOpen: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has another end
  useLayoutEffect(toEnd, [text]);
  return (
    <details className="col-span-2 mt-2 min-w-0 text-sm" open={isOpen} onToggle={toEnd}>
      <summary className="w-fit cursor-pointer font-medium max-md:py-2.5">
        {title} ({counted(text.trimEnd().split("\n").length, "line", "lines")})
      </summary>
      <pre
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by key
        tabIndex={0}
        className="mt-2 max-h-96 overflow-auto rounded-md bg-card p-3 font-mono text-text text-xs"
      >
        {text.trimEnd()}
      </pre>
    </details>
  );
}

function placeOf(run: Run, kind: Kind): string {
  const { done, total } = run.progress;
  const exit = run.failure && exitWords(run.failure);
  if (isConsole(run, kind)) return exit ? `, ${exit}` : "";
  if (done === 0) return `, before the first ${kind.unit} was done`;
  if (total === null) return ` and ${count(done)} ${kind.units}`;
  return ` at ${kind.unit} ${count(Math.min(total, done + 1))} of ${count(total)}`;
}

function asText(run: Run): string {
  const { failure } = run;
  if (failure === null) return "";
  const codes = [
    failure.reason,
    failure.exit_code !== null && `exit code ${failure.exit_code}`,
    failure.signal !== null && `signal ${failure.signal}`,
  ];
  return [
    failure.message,
    failure.where,
    failure.hint,
    `run ${run.id} · attempt ${run.attempt} · ${codes.filter(Boolean).join(" · ")}`,
    failure.tail,
  ]
    .filter(Boolean)
    .join("\n");
}
