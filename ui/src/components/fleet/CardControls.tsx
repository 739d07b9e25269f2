import { Pause, Play, X, Zap } from "lucide-react";
import { useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { CancelDialog, ForceDialog, needsQuestion } from "@/components/run/CancelDialog";
import { useElapsed } from "@/components/run/elapsed";
import type { PauseWish } from "@/components/run/PauseDialog";
import { PauseMenu } from "@/components/run/PauseMenu";
import { mayForce } from "@/lib/analysis/actions";
import { useNow } from "@/lib/now";
import { useConnection, useControl } from "@/live/hooks";

const CUT_OFF = new Set(["offline", "reconnecting", "signed-out"]);

/** Pause or resume, and cancel, of one run in a list. */
export function CardControls({ run, kind }: { run: RunHeader; kind: Kind }) {
  const { ask, asked } = useControl(run.id);
  const elapsed = useElapsed(run);
  const now = useNow();
  const [question, setQuestion] = useState<"cancel" | "force" | null>(null);
  const cutOff = CUT_OFF.has(useConnection().state)
    ? "No connection to the server: controls are off."
    : undefined;
  const whole = { ...run, params: {} };
  const cancel = () => ask("cancel", { name: run.name });
  const isPaused = run.status === "paused" || run.pending === "pause";
  const asking = run.request ? (now - new Date(run.request.time).getTime()) / 1000 : 0;
  const isBusy = run.pending === "cancel" || run.pending === "resume" || asked?.stage === "asking";
  const isBlocked = isBusy || cutOff !== undefined;
  return (
    <div className="relative z-10 flex items-center gap-6 max-md:w-full max-md:justify-between">
      {isPaused ? (
        <Button
          size="sm"
          icon={<Play aria-hidden />}
          disabled={isBlocked}
          hint={cutOff}
          onClick={() => ask("resume", { name: run.name })}
        >
          {run.status === "paused" ? "Resume" : "Undo pause"}
        </Button>
      ) : (
        <PausePart
          run={run}
          kind={kind}
          isBlocked={isBlocked}
          cutOff={cutOff}
          onPause={(wish) => void ask("pause", { ...wish, name: run.name })}
        />
      )}
      {mayForce(run, asking) ? (
        <Button
          size="sm"
          look="danger"
          icon={<Zap aria-hidden />}
          disabled={!!cutOff}
          hint={cutOff}
          onClick={() => setQuestion("force")}
        >
          Force stop
        </Button>
      ) : (
        <Button
          size="sm"
          look="danger-ghost"
          aria-label={`Cancel ${run.name}`}
          hint={cutOff ?? "Cancel"}
          icon={<X aria-hidden />}
          disabled={run.pending === "cancel" || !!cutOff}
          onClick={() => (needsQuestion(whole, elapsed) ? setQuestion("cancel") : void cancel())}
        />
      )}
      <CancelDialog
        run={whole}
        kind={kind}
        elapsed={elapsed}
        open={question === "cancel"}
        onClose={() => setQuestion(null)}
        onCancel={cancel}
      />
      <ForceDialog
        kind={kind}
        open={question === "force"}
        onClose={() => setQuestion(null)}
        onForce={() => {
          setQuestion(null);
          void ask("cancel", { force: true, name: run.name });
        }}
      />
    </div>
  );
}

interface PausePartProps {
  run: RunHeader;
  kind: Kind;
  isBlocked: boolean;
  /** Why, where the connection is lost. */
  cutOff: string | undefined;
  onPause: (wish?: PauseWish) => void;
}

/** Pause at once, or with choices. */
function PausePart({ run, kind, isBlocked, cutOff, onPause }: PausePartProps) {
  return (
    <div className="flex">
      <Button
        size="sm"
        icon={<Pause aria-hidden />}
        disabled={isBlocked}
        hint={cutOff}
        onClick={() => onPause()}
        className={isBlocked ? "" : "rounded-r-none"}
      >
        Pause
      </Button>
      {!isBlocked && (
        <PauseMenu
          size="sm"
          name={run.name}
          unit={kind.unit}
          canRelease={kind.can_release && !run.attached}
          onPause={onPause}
        />
      )}
    </div>
  );
}
