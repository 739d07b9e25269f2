import { useQuery } from "@tanstack/react-query";
import { FolderDown } from "lucide-react";
import { useMemo } from "react";
import type { RemovedFile } from "@/api/files";
import { artifactsQuery, removedFilesQuery } from "@/api/queries";
import { Card } from "@/components/base/Card";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { Skeleton } from "@/components/base/Skeleton";
import { RelativeTime } from "@/components/base/Time";
import { FileRow } from "@/components/run/files/FileRow";
import { bytes, counted } from "@/lib/format";

/** The run's files, newest first; the page asks for them anew as they come and go. */
export function FilesView({ runId }: { runId: string }) {
  const { data, error, refetch } = useQuery(artifactsQuery(runId));
  const { data: removed = [] } = useQuery(removedFilesQuery(runId));
  const files = useMemo(() => data?.toReversed() ?? [], [data]);
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton className="h-40" />;
  if (data.length === 0 && removed.length === 0)
    return <EmptyState title="No files yet">What the job saves with run.artifact() appears here.</EmptyState>;
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  const all = files.length > 1 && (
    <a
      href={`/api/runs/${encodeURIComponent(runId)}/artifacts.zip`}
      download
      className="flex h-8 items-center gap-2 rounded-md border border-line-strong px-3 font-medium text-sm hover:bg-hover max-md:h-11"
    >
      <FolderDown aria-hidden size={15} />
      Download all (zip, {bytes(size)})
    </a>
  );
  return (
    <Card title="Files" padded={false} actions={all}>
      <ul className="divide-y divide-line">
        {files.map((file) => (
          <FileRow key={file.name} runId={runId} file={file} />
        ))}
      </ul>
      {removed.length > 0 && <Removed files={removed} />}
    </Card>
  );
}

/** What a rule or a person has sent away: a run of many checkpoints keeps a few of them. */
function Removed({ files }: { files: readonly RemovedFile[] }) {
  return (
    <details className="border-line border-t px-4 py-2.5 text-sm">
      <summary className="cursor-pointer text-text-2 max-md:py-2.5">
        {counted(files.length, "file", "files")} removed
      </summary>
      <ul className="mt-2 space-y-2">
        {files.toReversed().map((file) => (
          <li key={file.name}>
            <p className="break-all">{file.name}</p>
            <p className="text-text-2 text-xs">
              {bytes(file.bytes)} · <RelativeTime time={file.removed_at} /> · {file.reason} ·{" "}
              <code title={`SHA-256 ${file.sha256}`}>{file.sha256.slice(0, 12)}</code>
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}
