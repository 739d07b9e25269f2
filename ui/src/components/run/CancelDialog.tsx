import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { clock, count, counted, wholePercent } from "@/lib/format";

export interface CancelDialogProps {
  run: RunHeader;
  kind: Kind;
  elapsed: number;
  /** Resolves to false when the server refused: the dialog stays open. */
  onCancel: () => Promise<boolean>;
  onClose: () => void;
  open: boolean;
}

/** Runs that have nothing to lose are cancelled without a question. */
export function needsQuestion(run: RunHeader, elapsed: number): boolean {
  return elapsed >= 10 && run.progress.done > 0;
}

/** Asks once. Focus and Esc are on the side of the run. */
export function CancelDialog({ run, kind, elapsed, onCancel, onClose, open }: CancelDialogProps) {
  const [isBusy, setBusy] = useState(false);
  const confirm = async () => {
    if (isBusy) return;
    setBusy(true);
    const isAccepted = await onCancel();
    setBusy(false);
    if (isAccepted) onClose();
  };
  const { done } = run.progress;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      onConfirm={() => void confirm()}
      title="Cancel run?"
      icon={<TriangleAlert aria-hidden size={20} className="shrink-0 text-warn" />}
      actions={
        <>
          <Button data-autofocus onClick={onClose}>
            {keepWords(run)}
          </Button>
          <Button look="danger" onClick={() => void confirm()} disabled={isBusy}>
            {isBusy ? "Cancelling…" : "Cancel run"}
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <p className="break-words">{standing(run, kind, elapsed)}</p>
        <p className="max-md:hidden">
          {run.status === "running"
            ? `It stops now. The ${kind.unit} that is running is dropped; the `
            : "It ends now; the "}
          {count(done)} finished {done === 1 ? "result is" : "results are"} kept.
        </p>
        <p className="md:hidden">{counted(done, "result is", "results are")} kept.</p>
        <p>Are you sure you want to cancel this run? This action cannot be undone.</p>
      </div>
    </Dialog>
  );
}

/** What the safe button of a question says. */
export const keepWords = ({ status }: RunHeader): string =>
  status === "running" ? "Keep running" : `Keep it ${status}`;

function standing(run: RunHeader, kind: Kind, elapsed: number): string {
  const { done, total } = run.progress;
  const percent = wholePercent(done, total);
  if (percent === null)
    return `${run.name} has done ${counted(done, kind.unit, kind.units)} in ${clock(elapsed)}.`;
  return `${run.name} is ${percent} % done (${count(done)} of ${counted(total ?? 0, kind.unit, kind.units)}, ${clock(elapsed)}).`;
}

export interface ForceDialogProps {
  kind: Kind;
  open: boolean;
  onForce: () => void;
  onClose: () => void;
}

export function ForceDialog({ kind, open, onForce, onClose }: ForceDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      onConfirm={onForce}
      title="Force stop?"
      icon={<TriangleAlert aria-hidden size={20} className="shrink-0 text-warn" />}
      actions={
        <>
          <Button data-autofocus onClick={onClose}>
            Keep waiting
          </Button>
          <Button look="danger" onClick={onForce}>
            Force stop
          </Button>
        </>
      }
    >
      The worker process is killed. The current {kind.unit} is lost; finished results are kept.
    </Dialog>
  );
}
