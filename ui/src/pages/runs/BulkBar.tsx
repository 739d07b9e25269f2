import { Ban, Download, Pause, Play, X } from "lucide-react";
import { useState } from "react";
import type { Control, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { StopDialog } from "@/components/fleet/StopDialog";
import { refusalWords, steerMany } from "@/components/fleet/steerMany";
import { count, counted } from "@/lib/format";
import { say } from "@/live/notices";
import { saveCsv } from "@/pages/runs/csv";

const DONE = { pause: "Pausing", resume: "Resuming", cancel: "Cancelling" } satisfies Record<Control, string>;

/** What can be done with the selected runs; a control goes to those it fits. */
export function BulkBar({ runs, onClear }: { runs: readonly RunHeader[]; onClear: () => void }) {
  const [stopping, setStopping] = useState(false);
  const running = runs.filter((run) => run.status === "running" && !run.pending);
  const paused = runs.filter((run) => run.status === "paused" && !run.pending);
  const live = runs.filter((run) => !isTerminal(run.status));
  const steer = async (control: Control, wanted: readonly RunHeader[]) => {
    try {
      const { done, refused } = await steerMany(
        wanted.map((run) => run.id),
        control,
      );
      const detail = refusalWords(refused);
      const level = refused.length > 0 ? "error" : "success";
      say({ key: "bulk", level, text: `${DONE[control]} ${counted(done, "run", "runs")}.`, detail });
    } catch (error) {
      say({
        key: "bulk",
        level: "error",
        text: `Could not ${control} the runs.`,
        detail: (error as Error).message,
      });
    }
  };
  return (
    <div
      role="toolbar"
      aria-label="Selected runs"
      className="sticky bottom-[calc(var(--foot)+0.75rem)] z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-2 rounded-xl border border-line-strong bg-card p-2 pl-4 shadow-pop"
    >
      <span className="mr-2 font-medium text-sm">{count(runs.length)} selected</span>
      <Button
        size="sm"
        icon={<Pause aria-hidden />}
        disabled={running.length === 0}
        onClick={() => steer("pause", running)}
      >
        Pause
      </Button>
      <Button
        size="sm"
        icon={<Play aria-hidden />}
        disabled={paused.length === 0}
        onClick={() => steer("resume", paused)}
      >
        Resume
      </Button>
      <Button
        size="sm"
        icon={<Ban aria-hidden />}
        disabled={live.length === 0}
        onClick={() => setStopping(true)}
      >
        Cancel…
      </Button>
      <Button size="sm" icon={<Download aria-hidden />} onClick={() => saveCsv(runs)}>
        Export
      </Button>
      <Button
        size="sm"
        look="ghost"
        aria-label="Clear the selection"
        icon={<X aria-hidden />}
        onClick={onClear}
      />
      {stopping && <StopDialog runs={live} onClose={() => setStopping(false)} />}
    </div>
  );
}
