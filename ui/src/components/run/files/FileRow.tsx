import { Download as DownloadIcon, Eye, EyeOff, Trash2 } from "lucide-react";
import { type MouseEvent, useState, useSyncExternalStore } from "react";
import { artifactPath } from "@/api/queries";
import type { Artifact } from "@/api/types";
import { Button } from "@/components/base/Button";
import { RelativeTime } from "@/components/base/Time";
import { DeleteFileDialog } from "@/components/run/files/DeleteFileDialog";
import { DownloadLine } from "@/components/run/files/DownloadLine";
import { FilePreview } from "@/components/run/files/FilePreview";
import { downloadOf } from "@/lib/download";
import { previewKind } from "@/lib/filePreview";
import { bytes } from "@/lib/format";

/** One file: what it is, a look into it, and its way to the user's disk. */
export function FileRow({ runId, file }: { runId: string; file: Artifact }) {
  const [isOpen, setOpen] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const url = artifactPath(runId, file.name);
  const kind = previewKind(file.name);
  const filename = file.name.split("/").at(-1) ?? file.name;
  const download = downloadOf({ url, filename, bytes: file.bytes, sha256: file.sha256 });
  const state = useSyncExternalStore(download.subscribe, () => download.state);
  const isIdle = state.phase === "paused" && state.done === 0;

  function start(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void download.start();
  }

  return (
    <li className="px-4 py-2.5 text-sm">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-48 flex-1">
          <p className="break-all font-medium">{file.name}</p>
          <p className="text-text-2 text-xs">
            {bytes(file.bytes)} · <RelativeTime time={file.time} /> ·{" "}
            <code title={`SHA-256 ${file.sha256}`}>{file.sha256.slice(0, 12)}</code>
          </p>
        </div>
        <div className="flex gap-2">
          {kind && (
            <Button
              look="ghost"
              aria-expanded={isOpen}
              aria-label={`${isOpen ? "Hide" : "Preview"} ${file.name}`}
              icon={isOpen ? <EyeOff aria-hidden size={15} /> : <Eye aria-hidden size={15} />}
              onClick={() => setOpen(!isOpen)}
            >
              {isOpen ? "Hide" : "Preview"}
            </Button>
          )}
          <a
            href={url}
            download
            onClick={start}
            aria-label={`Download ${file.name}`}
            className="flex h-8 items-center gap-2 rounded-md border border-line-strong px-3 font-medium text-sm hover:bg-hover max-md:h-11"
          >
            <DownloadIcon aria-hidden size={15} />
            Download
          </a>
          <Button
            look="ghost"
            aria-label={`Delete ${file.name}`}
            hint="Delete…"
            icon={<Trash2 aria-hidden size={15} />}
            onClick={() => setDeleting(true)}
          />
        </div>
      </div>
      {isDeleting && <DeleteFileDialog runId={runId} file={file} onClose={() => setDeleting(false)} />}
      {!isIdle && <DownloadLine download={download} state={state} name={file.name} />}
      {isOpen && kind && (
        <div className="mt-2.5">
          <FilePreview file={file} url={url} kind={kind} />
        </div>
      )}
    </li>
  );
}
