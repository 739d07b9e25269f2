import { Pause, Play, RotateCcw, X } from "lucide-react";
import { Button } from "@/components/base/Button";
import type { Download, DownloadState } from "@/lib/download";
import { bytes, clock } from "@/lib/format";

/** How far a download is, how fast, how long still; and what stops it or has it go on. */
export function DownloadLine({
  download,
  state,
  name,
}: {
  download: Download;
  state: DownloadState;
  name: string;
}) {
  const { phase, done, total } = state;
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const isOver = phase === "done" || phase === "failed";
  return (
    <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1.5">
      {!isOver && (
        <div
          role="progressbar"
          aria-label={`Download of ${name}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.floor(share * 100)}
          aria-valuetext={wordsOf(state)}
          className="h-1.5 min-w-24 flex-1 overflow-hidden rounded-full bg-track"
        >
          <div
            className={`h-full ${phase === "running" ? "bg-running" : "bg-paused"}`}
            style={{ width: `${share * 100}%` }}
          />
        </div>
      )}
      <span
        role={isOver || phase === "broken" ? "status" : undefined}
        className={`text-xs ${phase === "failed" || phase === "broken" ? "text-fail" : "text-text-2"}`}
      >
        {wordsOf(state)}
      </span>
      {phase === "running" && (
        <Button size="sm" icon={<Pause aria-hidden size={13} />} onClick={() => download.pause()}>
          Pause
        </Button>
      )}
      {(phase === "paused" || phase === "broken") && (
        <Button size="sm" icon={<Play aria-hidden size={13} />} onClick={() => void download.start()}>
          Resume
        </Button>
      )}
      {phase === "failed" && (
        <Button size="sm" icon={<RotateCcw aria-hidden size={13} />} onClick={() => void download.start()}>
          Again
        </Button>
      )}
      {!isOver && phase !== "checking" && (
        <Button
          size="sm"
          look="ghost"
          icon={<X aria-hidden size={13} />}
          aria-label={`Stop the download of ${name}`}
          hint="Stop and forget what has come"
          onClick={() => download.cancel()}
        />
      )}
    </div>
  );
}

function wordsOf({ phase, done, total, speed, error }: DownloadState): string {
  const part = `${Math.floor(total > 0 ? (done / total) * 100 : 100)} % · ${bytes(done)} of ${bytes(total)}`;
  switch (phase) {
    case "running":
      return speed ? `${part} · ${bytes(speed)}/s · ${clock((total - done) / speed)} left` : part;
    case "paused":
      return `Paused · ${part}`;
    case "broken":
      return `${error} ${part}`;
    case "checking":
      return "Checking the hash…";
    case "failed":
      return error ?? "The download failed.";
    case "done":
      return "Downloaded, hash checked.";
  }
}
