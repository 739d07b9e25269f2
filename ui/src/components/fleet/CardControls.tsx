import type { Kind, RunHeader } from "@/api/types";
import { CancelDialog, ForceDialog } from "@/components/run/CancelDialog";
import { useElapsed } from "@/components/run/elapsed";
import { RunControls } from "@/components/run/RunControls";
import { useSteering } from "@/components/run/useSteering";
import { useConnection } from "@/live/hooks";

/** The brake of one run in a list, and one control beside it. */
export function CardControls({ run, kind }: { run: RunHeader; kind: Kind }) {
  const elapsed = useElapsed(run);
  const { offers, act, pause, question, close, cancel, force } = useSteering(
    run,
    kind,
    elapsed,
    useConnection(),
  );
  const isUndone = offers.some(({ action }) => action === "undo-pause");
  return (
    <div className="relative z-10 max-md:w-full">
      <RunControls
        place="card"
        offers={offers.filter(({ action }) => action !== "free" && !(isUndone && action === "pause"))}
        onAct={act}
        onPause={pause}
        run={run}
        kind={kind}
      />
      <CancelDialog
        run={run}
        kind={kind}
        elapsed={elapsed}
        open={question === "cancel"}
        onClose={close}
        onCancel={cancel}
      />
      <ForceDialog kind={kind} open={question === "force"} onClose={close} onForce={force} />
    </div>
  );
}
