import { Pause } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import type { Kind, RunHeader, Strength } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Dialog } from "@/components/base/Dialog";
import { keepWords } from "@/components/run/CancelDialog";
import { mayRelease } from "@/lib/analysis/actions";
import { laterAt } from "@/lib/format";
import { serverNow } from "@/lib/now";

/** A pause as somebody wants it. */
export interface PauseWish {
  strength: Strength;
  reason?: string;
  /** A duration such as `15m`, or a time. */
  until?: string;
}

export interface PauseDialogProps {
  run: RunHeader;
  kind: Kind;
  onPause: (wish: PauseWish) => void;
  onClose: () => void;
}

type Until = "resumed" | "15m" | "1h" | "at";

/** All of a pause: for how long, how strongly, and why. */
export function PauseDialog({ run, kind, onPause, onClose }: PauseDialogProps) {
  const id = useId();
  const [until, setUntil] = useState<Until>("at");
  const [time, setTime] = useState(() => inAnHour());
  const [isFreed, setFreed] = useState(false);
  const [reason, setReason] = useState("");
  const isWhole = until !== "at" || time !== "";
  const confirm = () => {
    if (!isWhole) return;
    onPause({
      strength: isFreed ? "release" : "hold",
      ...(reason.trim() && { reason: reason.trim() }),
      ...(until === "at" ? { until: laterAt(time, serverNow()) } : until !== "resumed" && { until }),
    });
    onClose();
  };
  const choose = (value: Until, words: ReactNode) => (
    <label className="flex min-h-8 items-center gap-2.5 max-md:min-h-11">
      <input
        type="radio"
        name={`${id}-until`}
        checked={until === value}
        onChange={() => setUntil(value)}
        className="size-4 accent-primary"
      />
      {words}
    </label>
  );
  return (
    <Dialog
      open
      onClose={onClose}
      onConfirm={confirm}
      icon={<Pause aria-hidden size={20} className="shrink-0 text-paused" />}
      title="Pause run"
      actions={
        <>
          <Button data-autofocus onClick={onClose}>
            {keepWords(run)}
          </Button>
          <Button look="primary" onClick={confirm} disabled={!isWhole}>
            Pause
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <p className="break-words normal-nums">
          {run.name} pauses {run.status === "running" ? `after the current ${kind.unit}` : "at once"}. Nothing
          new starts, and nothing is lost.
        </p>
        <fieldset>
          <legend className="mb-1 font-medium text-sm text-text">It resumes</legend>
          {choose("resumed", "when somebody resumes it")}
          {choose("15m", "by itself in 15 minutes")}
          {choose("1h", "by itself in 1 hour")}
          {choose(
            "at",
            <>
              by itself at
              <input
                type="time"
                aria-label="Time at which it resumes"
                value={time}
                onChange={(event) => setTime(event.target.value)}
                onFocus={() => setUntil("at")}
                className="field w-auto"
              />
            </>,
          )}
        </fieldset>
        {mayRelease(run, kind) && (
          <label className="flex items-start gap-2.5">
            <input
              type="checkbox"
              checked={isFreed}
              onChange={(event) => setFreed(event.target.checked)}
              className="mt-1 size-4 accent-primary"
            />
            <span>
              <span className="font-medium text-text">Free its memory</span>
              <br />
              It saves and its process leaves; a new attempt goes on where it was.
            </span>
          </label>
        )}
        <label className="block">
          <span className="mb-1 block font-medium text-sm text-text">Reason</span>
          <input
            value={reason}
            maxLength={200}
            placeholder="Everybody who looks at the run sees it"
            onChange={(event) => setReason(event.target.value)}
            className="field"
          />
        </label>
      </div>
    </Dialog>
  );
}

/** The time an hour from now, as the field writes it, on full five minutes. */
function inAnHour(): string {
  const then = new Date(Math.ceil((serverNow() + 3_600_000) / 300_000) * 300_000);
  return then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
