import { Flag } from "lucide-react";
import { useState } from "react";
import { ApiError } from "@/api/client";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import type { PanelProps, PanelView } from "@/components/panels/view";
import { cn } from "@/lib/cn";
import { percent } from "@/lib/format";

/** How near a decision is, its verdict, and the way to finish early. */
export function MeterPanel({ panel, view }: PanelProps<"Meter">) {
  const value = view.run.metrics[panel.metric];
  const level = typeof value === "number" ? Math.min(1, Math.max(0, value)) : null;
  const words = plainVerdict(level === 1, view.kind.units);
  return (
    <PanelFrame
      title={panel.title}
      actions={
        panel.finish_param && <FinishEarly param={panel.finish_param} isDecided={level === 1} view={view} />
      }
    >
      {level === null ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <div className="flex items-center gap-4">
          <div
            role="meter"
            aria-label={panel.title}
            aria-valuemin={0}
            aria-valuemax={1}
            aria-valuenow={level}
            aria-valuetext={`${percent(level, 0)}. ${words}`}
            className="h-2 w-40 shrink-0 overflow-hidden rounded-full bg-track max-sm:w-24"
          >
            <div
              className={cn("h-full rounded-full", level === 1 ? "bg-completed" : "bg-running")}
              style={{ width: `${level * 100}%` }}
            />
          </div>
          <span className="shrink-0 font-semibold">{percent(level, 0)}</span>
          <p className="min-w-0 text-sm text-text-2">{words}</p>
        </div>
      )}
    </PanelFrame>
  );
}

function plainVerdict(isDecided: boolean, units: string): string {
  if (isDecided) return `Decided: the ${units} that are left cannot change the outcome.`;
  return `The ${units} that are left could still change the outcome.`;
}

interface FinishEarlyProps {
  param: string;
  isDecided: boolean;
  view: PanelView;
}

/** At once when nothing can change the outcome; before that it asks. */
function FinishEarly({ param, isDecided, view }: FinishEarlyProps) {
  const [isAsking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { run, kind } = view;
  if (isTerminal(run.status) || !kind.live_params.includes(param)) return null;
  if (run.params[param] === true)
    return <span className="text-sm text-text-2">Finishing after current {kind.unit}…</span>;

  const finish = async () => {
    setAsking(false);
    try {
      await view.onParams({ [param]: true });
      setRefusal(null);
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : "Could not finish early.");
    }
  };
  return (
    <>
      {refusal && <span className="text-fail text-xs">{refusal}</span>}
      <Button
        size="sm"
        look={isDecided ? "primary" : "secondary"}
        icon={<Flag aria-hidden />}
        onClick={() => (isDecided ? void finish() : setAsking(true))}
      >
        Finish early
      </Button>
      <Dialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => void finish()}
        title="Finish early?"
        actions={
          <>
            <Button data-autofocus onClick={() => setAsking(false)}>
              Keep running
            </Button>
            <Button look="primary" onClick={() => void finish()}>
              Finish early
            </Button>
          </>
        }
      >
        The evidence is not complete yet: the {kind.units} that are left could still change the outcome. The
        run ends as completed after the current {kind.unit}, and what is left stays undone.
      </Dialog>
    </>
  );
}
