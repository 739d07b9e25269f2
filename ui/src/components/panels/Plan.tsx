import { CircleDashed, Loader, type LucideIcon, Star, X } from "lucide-react";
import { useMemo } from "react";
import { isTerminal } from "@/api/types";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { type PanelProps, waitingWords } from "@/components/panels/view";
import { type PlanStep, planOf } from "@/lib/analysis/plan";
import { VERDICTS } from "@/lib/analysis/verdict";
import { cn } from "@/lib/cn";
import { capital } from "@/lib/status";

/** What was planned and why: steps from left to right (on phones from top to bottom), and how each went. */
export function PlanPanel({ panel, view }: PanelProps<"Plan">) {
  const { items, run } = view;
  const told = run.metrics[panel.step];
  const inHand = typeof told === "number" ? told : null;
  const plan = useMemo(() => planOf(items, panel, inHand), [items, panel, inHand]);
  if (plan === null)
    return (
      <PanelFrame title={panel.title}>
        <PanelEmpty>{waitingWords(view.kind, panel.phase)}</PanelEmpty>
      </PanelFrame>
    );
  const isOver = isTerminal(run.status);
  return (
    <PanelFrame title={panel.title} note={plan.by && `planned by ${plan.by}`}>
      {plan.rationale && <p className="mb-4 max-w-[70ch] text-sm text-text-2">{plan.rationale}</p>}
      <ol className="grid gap-3 @2xl:auto-cols-fr @2xl:grid-flow-col">
        {plan.steps.map((step) => (
          <Step key={step.number} step={step} isOver={isOver} isPaused={run.status === "paused"} />
        ))}
      </ol>
    </PanelFrame>
  );
}

interface StepProps {
  step: PlanStep;
  /** Nothing more will happen. */
  isOver: boolean;
  isPaused: boolean;
}

function Step({ step, isOver, isPaused }: StepProps) {
  const isIdle = step.state === "to_come" || (isOver && step.state === "in_hand");
  return (
    <li
      aria-current={step.state === "in_hand" && !isOver ? "step" : undefined}
      className={cn(
        "flex min-w-0 gap-3 rounded-md border border-line p-3 aria-[current]:border-running",
        step.isKept && "border-pass",
      )}
    >
      <span
        aria-hidden
        className={cn(
          "grid size-6 shrink-0 place-items-center rounded-full bg-feed-planned-soft font-semibold text-feed-planned text-xs",
          isIdle && "bg-track text-text-3",
        )}
      >
        {step.number}
      </span>
      <div className="min-w-0 flex-1 text-sm">
        <p className={cn("break-words font-medium", isIdle && "text-text-2")}>{capital(step.title)}</p>
        {step.settings.length > 0 && (
          <p className="text-text-3 text-xs">
            {step.settings.map(([name, value]) => `${name} ${value}`).join(" · ")}
          </p>
        )}
        <State step={step} isOver={isOver} isPaused={isPaused} />
        {step.detail && <p className="mt-1 break-words text-text-2 text-xs">{step.detail}</p>}
      </div>
    </li>
  );
}

function State({ step, isOver, isPaused }: StepProps) {
  const { verdict, state } = step;
  const [Icon, text, className] = stateWords(step, isOver, isPaused);
  return (
    <p className="mt-1.5 flex flex-wrap gap-x-3 font-medium text-xs">
      {verdict ? (
        <span className={VERDICTS[verdict].className}>{VERDICTS[verdict].text}</span>
      ) : (
        <span className={cn("inline-flex items-center gap-1", className)}>
          <Icon
            aria-hidden
            size={12}
            className={cn(
              state === "in_hand" && !isOver && !isPaused && "animate-spin [animation-duration:2s]",
            )}
          />
          {text}
        </span>
      )}
      {step.isKept && (
        <span className="inline-flex items-center gap-1 text-pass">
          <Star aria-hidden size={12} className="fill-current" />
          kept
        </span>
      )}
    </p>
  );
}

function stateWords(
  { state, number }: PlanStep,
  isOver: boolean,
  isPaused: boolean,
): [LucideIcon, string, string] {
  if (state === "failed") return [X, "failed", "text-fail"];
  if (state === "done") return [CircleDashed, "not measured", "text-text-3"];
  if (state === "in_hand")
    return isOver
      ? [CircleDashed, "not finished", "text-text-3"]
      : isPaused
        ? [CircleDashed, "paused", "text-text-2"]
        : [Loader, "in hand", "text-running-text"];
  return [CircleDashed, isOver ? "not needed" : number > 1 ? "backup, if needed" : "to come", "text-text-3"];
}
