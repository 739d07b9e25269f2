import { useQuery } from "@tanstack/react-query";
import { Download, History, Star } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { artifactPath, artifactsQuery } from "@/api/queries";
import { isTerminal } from "@/api/types";
import { SideScroll } from "@/components/base/SideScroll";
import { RelativeTime } from "@/components/base/Time";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { type PanelProps, type PanelView, writerOf } from "@/components/panels/view";
import { ResumeFromDialog } from "@/components/run/ResumeFromDialog";
import { type Checkpoint, checkpoints } from "@/lib/analysis/checkpoints";
import { bytes, count, formatted } from "@/lib/format";

const SHORT = 8;
const HEAD = "whitespace-nowrap px-2 py-1 font-medium";

/** The files that a run saved on its way, newest first; the best one is marked. */
export function CheckpointsPanel({ panel, view }: PanelProps<"Checkpoints">) {
  const { run, kind, series } = view;
  const [isWhole, setWhole] = useState(false);
  const [from, setFrom] = useState<Checkpoint | null>(null);
  const { data, refetch } = useQuery(artifactsQuery(run.id));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new file is the reason to ask again
  useEffect(() => void refetch(), [run.artifacts, refetch]);
  const points = panel.metric === null ? undefined : series.get(panel.metric);
  const rows = useMemo(
    () => checkpoints(data ?? [], panel.prefix, points ?? [], panel.goal),
    [data, panel.prefix, points, panel.goal],
  );
  const shown = isWhole ? rows : rows.filter((row, index) => index < SHORT || row.isBest);
  const metric = kind.metrics.find(({ name }) => name === panel.metric);
  const keyOf = (row: Checkpoint) => (isTerminal(run.status) ? itemOf(row, view) : null);
  const write = metric ? (value: unknown) => formatted(value, metric.format) : writerOf(kind, "");
  return (
    <PanelFrame title={panel.title}>
      {rows.length === 0 ? (
        <PanelEmpty>After the first checkpoint</PanelEmpty>
      ) : (
        <div className="-mx-2">
          <SideScroll>
            <table className="w-full text-sm">
              <thead className="text-left text-text-2 text-xs">
                <tr>
                  <th scope="col" className={HEAD}>
                    Checkpoint
                  </th>
                  {panel.metric !== null && (
                    <th scope="col" className={`${HEAD} text-right`}>
                      {metric?.label ?? panel.metric}
                    </th>
                  )}
                  <th scope="col" className={`${HEAD} text-right max-sm:hidden`}>
                    Size
                  </th>
                  <th scope="col" className={`${HEAD} text-right max-sm:hidden`}>
                    Saved
                  </th>
                  <th scope="col" className={HEAD}>
                    <span className="sr-only">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((row) => (
                  <Row
                    key={row.file.name}
                    row={row}
                    runId={run.id}
                    onResume={keyOf(row) === null ? null : () => setFrom(row)}
                    value={panel.metric === null ? null : write(row.value)}
                  />
                ))}
              </tbody>
            </table>
          </SideScroll>
        </div>
      )}
      {rows.length > shown.length && (
        <button
          type="button"
          onClick={() => setWhole(true)}
          className="mt-2 h-8 text-primary text-sm hover:underline max-md:h-11"
        >
          Show all {count(rows.length)}
        </button>
      )}
      {from && (
        <ResumeFromDialog
          run={run}
          kind={kind}
          from={keyOf(from) ?? ""}
          name={titleOf(from)}
          onClose={() => setFrom(null)}
        />
      )}
    </PanelFrame>
  );
}

const titleOf = ({ step, name }: Checkpoint): string => (step === null ? name : `step ${count(step)}`);

/** Key of the finished item that saved a checkpoint; null where a run cannot go on behind it. */
function itemOf({ step }: Checkpoint, { kind, items }: PanelView): string | null {
  const field = kind.ends_at;
  if (!field || step === null) return null;
  return items.find(({ data, state }) => state === "done" && data[field] === step)?.key ?? null;
}

interface RowProps {
  row: Checkpoint;
  runId: string;
  value: string | null;
  /** Null where the run cannot go on from here. */
  onResume: (() => void) | null;
}

function Row({ row, runId, value, onResume }: RowProps) {
  const { file, name, isBest, isLast } = row;
  return (
    <tr className="border-line border-t">
      <th scope="row" className="max-w-48 px-2 py-1.5 text-left font-normal">
        <span className="flex items-center gap-2">
          <span className="truncate" title={name}>
            {titleOf(row)}
          </span>
          {isBest && (
            <span className="inline-flex shrink-0 items-center gap-1 text-pass text-xs">
              <Star aria-hidden size={12} className="fill-current" />
              best
            </span>
          )}
          {isLast && <span className="shrink-0 text-text-3 text-xs">last</span>}
        </span>
      </th>
      {value !== null && <td className="px-2 py-1.5 text-right">{value}</td>}
      <td className="whitespace-nowrap px-2 py-1.5 text-right max-sm:hidden">{bytes(file.bytes)}</td>
      <td className="whitespace-nowrap px-2 py-1.5 text-right text-text-2 max-sm:hidden">
        <RelativeTime time={file.time} short />
      </td>
      <td className="whitespace-nowrap px-2 py-1 text-right">
        {onResume && (
          <button
            type="button"
            onClick={onResume}
            aria-label={`Resume from ${titleOf(row)}`}
            title={`Resume from ${titleOf(row)}`}
            className="inline-grid size-8 place-items-center rounded-md text-text-2 hover:bg-hover max-md:size-11"
          >
            <History aria-hidden size={15} />
          </button>
        )}
        <a
          href={artifactPath(runId, file.name)}
          download
          aria-label={`Download ${name}`}
          title={`Download ${name}`}
          className="inline-grid size-8 place-items-center rounded-md text-text-2 hover:bg-hover max-md:size-11"
        >
          <Download aria-hidden size={15} />
        </a>
      </td>
    </tr>
  );
}
