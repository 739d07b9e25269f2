import { Pause, Play, X } from "lucide-react";
import { useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { CancelDialog, needsQuestion } from "@/components/run/CancelDialog";
import { useElapsed } from "@/components/run/elapsed";
import { useConnection, useControl } from "@/live/hooks";

const CUT_OFF = new Set(["offline", "reconnecting", "signed-out"]);

/** Pause or resume, and cancel, of one run in a list. */
export function CardControls({ run, kind }: { run: RunHeader; kind: Kind }) {
  const { ask, asked } = useControl(run.id);
  const elapsed = useElapsed(run);
  const [asking, setAsking] = useState(false);
  const cutOff = CUT_OFF.has(useConnection().state)
    ? "No connection to the server: controls are off."
    : undefined;
  const whole = { ...run, params: {} };
  const cancel = () => ask("cancel", { name: run.name });
  const isPaused = run.status === "paused" || run.pending === "pause";
  const busy = run.pending === "cancel" || run.pending === "resume" || asked?.stage === "asking";
  return (
    <div className="relative z-10 flex items-center gap-6 max-md:w-full max-md:justify-between">
      {isPaused ? (
        <Button
          size="sm"
          icon={<Play aria-hidden />}
          disabled={busy || !!cutOff}
          hint={cutOff}
          onClick={() => ask("resume", { name: run.name })}
        >
          {run.status === "paused" ? "Resume" : "Undo pause"}
        </Button>
      ) : (
        <Button
          size="sm"
          icon={<Pause aria-hidden />}
          disabled={run.status !== "running" || busy || !!cutOff}
          hint={cutOff ?? (run.status === "queued" ? "It has not begun yet." : undefined)}
          onClick={() => ask("pause", { name: run.name })}
        >
          Pause
        </Button>
      )}
      <Button
        size="sm"
        look="danger-ghost"
        aria-label={`Cancel ${run.name}`}
        hint={cutOff ?? "Cancel"}
        icon={<X aria-hidden />}
        disabled={run.pending === "cancel" || !!cutOff}
        onClick={() => (needsQuestion(whole, elapsed) ? setAsking(true) : void cancel())}
      />
      <CancelDialog
        run={whole}
        kind={kind}
        elapsed={elapsed}
        open={asking}
        onClose={() => setAsking(false)}
        onCancel={cancel}
      />
    </div>
  );
}
