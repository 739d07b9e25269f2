import { useMutation } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { refusalWords, steerMany, stopStuck } from "@/components/fleet/steerMany";
import { useKinds } from "@/components/kinds";
import { useStuck } from "@/components/run/useStatus";
import { briefly, count, counted } from "@/lib/format";
import { useFleet } from "@/live/hooks";
import { type Notice, say } from "@/live/notices";

export interface StopDialogProps {
  runs: readonly RunHeader[];
  /** Runs that wake up before the confirmation are left running. */
  stuck?: boolean;
  onClose: () => void;
}

/** Lists exactly the runs it will stop, and sends exactly their ids. */
export function StopDialog({ runs, stuck = false, onClose }: StopDialogProps) {
  // The list of runs may lose one that wakes up while the question stands.
  const named = useRef(runs).current;
  const fleet = useFleet();
  const { kindOf } = useKinds();
  const [refusal, setRefusal] = useState<string | null>(null);
  const current = named.flatMap(({ id }) => fleet.runs.find((run) => run.id === id) ?? []);
  const left = current.filter((run) => !isTerminal(run.status) && (!stuck || run.stuck));
  const woke = current.filter((run) => stuck && !run.stuck && !isTerminal(run.status));
  const nameOf = (id: string) => named.find((run) => run.id === id)?.name ?? id;
  const { mutate, isPending } = useMutation({
    mutationFn: async (ids: string[]) =>
      stuck ? stopStuck(ids) : { ...(await steerMany(ids, "cancel")), woke: [] },
    onSuccess: (result) => {
      const spared = [...new Set([...woke.map((run) => run.id), ...result.woke])];
      say(stoppedNotice(result.done, refusalWords(result.refused), spared.map(nameOf)));
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
      <p>{listWords(left.length)}</p>
      {left.length > 0 && (
        <ul className="my-3 divide-y divide-line rounded-md border border-line text-sm">
          {left.map((run) => (
            <li key={run.id} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2">
              <span className="min-w-0 truncate font-medium text-text normal-nums">{run.name}</span>
              <span>
                {count(run.progress.done)}/{count(run.progress.total)} {kindOf(run.kind).units}
              </span>
              {run.stuck && <Silence run={run} kind={kindOf(run.kind)} />}
            </li>
          ))}
        </ul>
      )}
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

/** For how long a run has not moved. */
function Silence({ run, kind }: { run: RunHeader; kind: Kind }) {
  const stuck = useStuck(run, kind);
  return (
    <span className="ml-auto">
      no {kind.unit} for {briefly(stuck?.seconds ?? 0)}
    </span>
  );
}

/** What came of it: how many are being stopped, which were left alone, and why some were refused. */
function stoppedNotice(done: number, refusal: string | undefined, spared: readonly string[]): Notice {
  const woke =
    spared.length > 0
      ? `${spared.join(", ")} woke up and ${spared.length > 1 ? "were" : "was"} left alone.`
      : undefined;
  return {
    key: "stop-many",
    level: refusal ? "error" : "success",
    text: done > 0 ? `Stopping ${runsWord(done)}.` : "Nothing was stopped.",
    detail: [woke, refusal].filter(Boolean).join(" ") || undefined,
  };
}

function listWords(number: number): string {
  if (number === 0) return "No run is left to stop.";
  return `This stops exactly ${number === 1 ? "this run" : `these ${count(number)} runs`}:`;
}

const runsWord = (number: number) => counted(number, "run", "runs");
