import { useMutation } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import type { RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { steerMany } from "@/components/fleet/steerMany";
import { useKinds } from "@/components/kinds";
import { clock, count } from "@/lib/format";
import { useNow } from "@/lib/now";
import { useFleet } from "@/live/hooks";
import { say } from "@/live/notices";

export interface StopDialogProps {
  runs: readonly RunHeader[];
  /** Runs that wake up before the confirmation are left running. */
  stuck?: boolean;
  onClose: () => void;
}

/** Lists exactly the runs it will stop, and sends exactly their ids. */
export function StopDialog({ runs, stuck = false, onClose }: StopDialogProps) {
  const named = useRef(runs.map((run) => run.id)).current;
  const fleet = useFleet();
  const now = useNow();
  const { kindOf } = useKinds();
  const [refusal, setRefusal] = useState<string | null>(null);
  const current = named.flatMap((id) => fleet.runs.find((run) => run.id === id) ?? []);
  const left = current.filter((run) => !isTerminal(run.status) && (!stuck || run.stuck));
  const woke = current.filter((run) => stuck && !run.stuck && !isTerminal(run.status));
  const { mutate, isPending } = useMutation({
    mutationFn: (ids: string[]) => steerMany(ids, "cancel"),
    onSuccess: ({ done }) => {
      const spared =
        woke.length > 0
          ? `${woke.map((run) => run.name).join(", ")} woke up and was left running.`
          : undefined;
      say({ key: "stop-many", level: "success", text: `Stopping ${runsWord(done)}.`, detail: spared });
      onClose();
    },
    onError: (error) => setRefusal(error.message),
  });
  const stop = () => left.length > 0 && !isPending && mutate(left.map((run) => run.id));
  return (
    <Dialog
      open
      onClose={onClose}
      onConfirm={stop}
      icon={<TriangleAlert aria-hidden size={20} className="text-warn" />}
      title={stuck ? "Stop all stuck?" : "Stop these runs?"}
      actions={
        <>
          <Button data-autofocus onClick={onClose}>
            Keep running
          </Button>
          <Button look="danger" onClick={stop} disabled={left.length === 0 || isPending}>
            {isPending ? "Stopping…" : `Stop ${runsWord(left.length)}`}
          </Button>
        </>
      }
    >
      <p>This stops exactly {left.length === 1 ? "this run" : `these ${count(left.length)} runs`}:</p>
      <ul className="my-3 divide-y divide-line rounded-md border border-line text-sm">
        {left.map((run) => (
          <li key={run.id} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2">
            <span className="min-w-0 truncate font-medium text-text normal-nums">{run.name}</span>
            <span>
              {count(run.progress.done)}/{count(run.progress.total)} {kindOf(run.kind).units}
            </span>
            {run.stuck && run.last_event_at && (
              <span className="ml-auto">
                no news for {clock((now - new Date(run.last_event_at).getTime()) / 1000)}
              </span>
            )}
          </li>
        ))}
      </ul>
      {stuck && <p>Runs that wake up before you confirm are left running.</p>}
      {woke.length > 0 && (
        <p className="font-medium text-pass">{woke.map((run) => run.name).join(", ")} woke up.</p>
      )}
      <p>Finished results are kept.</p>
      {refusal && (
        <p role="alert" className="mt-2 text-fail">
          {refusal}
        </p>
      )}
    </Dialog>
  );
}

const runsWord = (number: number) => (number === 1 ? "1 run" : `${count(number)} runs`);
