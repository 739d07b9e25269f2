import { useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useState } from "react";
import { retryQuery } from "@/api/queries";
import type { JsonObject, Kind, Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { PreviewFacts } from "@/components/run/PreviewFacts";
import { RetryChanges } from "@/components/run/RetryChanges";
import { useRetry } from "@/components/run/useRetry";

export interface ResumeFromDialogProps {
  run: Run;
  kind: Kind;
  /** Key of the item after which the new run goes on. */
  from: string;
  /** What the reader calls it, such as "step 40". */
  name: string;
  onClose: () => void;
}

/** A new run that goes on after a chosen checkpoint, with other settings if wanted. */
export function ResumeFromDialog({ run, kind, from, name, onClose }: ResumeFromDialogProps) {
  const [changes, setChanges] = useState<JsonObject>({});
  const { data: preview, error } = useQuery(retryQuery(run.id, "remaining", from));
  const retry = useRetry(run, onClose);
  const refusal = retry.error ?? error;
  const confirm = () => {
    if (!retry.isPending) retry.mutate({ only: "remaining", from, changes });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onConfirm={confirm}
      icon={<History aria-hidden size={19} className="shrink-0 text-text-2" />}
      title={`Resume from ${name}`}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" data-autofocus onClick={confirm} disabled={retry.isPending}>
            {retry.isPending ? "Starting…" : "Start new run"}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <p className="break-words normal-nums">
          {run.name} stays as it is. The new run goes on after {name}.
        </p>
        <PreviewFacts preview={preview} kind={kind} />
        <RetryChanges run={run} kind={kind} changes={changes} onChanges={setChanges} error={retry.error} />
        {refusal && (
          <p role="alert" className="rounded-md bg-failed-soft px-3 py-2 text-failed-text text-sm">
            {refusal.message}
          </p>
        )}
      </div>
    </Dialog>
  );
}
