import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useEffect } from "react";
import { artifactsQuery } from "@/api/queries";
import { Card } from "@/components/base/Card";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { RelativeTime } from "@/components/base/Time";
import { bytes } from "@/lib/format";

/** The run's files. `version` changes when a new one was saved. */
export function FilesView({ runId, version }: { runId: string; version: number }) {
  const { data, error, refetch } = useQuery(artifactsQuery(runId));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason to ask again
  useEffect(() => void refetch(), [version, refetch]);
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data?.length === 0)
    return <EmptyState title="No files yet">What the job saves with run.artifact() appears here.</EmptyState>;
  return (
    <Card title="Files" padded={false}>
      <ul className="divide-y divide-line">
        {data?.map((file) => (
          <li key={file.name} className="flex items-center gap-4 px-4 py-2.5 text-sm">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{file.name}</p>
              <p className="truncate text-text-3 text-xs">
                {bytes(file.bytes)} · <RelativeTime time={file.time} /> ·{" "}
                <code title={file.sha256}>{file.sha256.slice(0, 12)}</code>
              </p>
            </div>
            <a
              href={`/api/runs/${encodeURIComponent(runId)}/artifacts/${file.name.split("/").map(encodeURIComponent).join("/")}`}
              download
              className="flex h-8 items-center gap-2 rounded-md border border-line-strong px-3 font-medium text-sm hover:bg-hover max-md:h-11"
            >
              <Download aria-hidden size={15} />
              Download
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}
