import { useMemo, useState } from "react";
import type { Kind } from "@/api/types";
import { Card } from "@/components/base/Card";
import { EmptyState } from "@/components/base/EmptyState";
import { LineChart } from "@/components/panels/LineChart";
import { PanelBoundary } from "@/components/panels/PanelBoundary";
import { PanelAction } from "@/components/panels/PanelFrame";
import { compareNames } from "@/lib/analysis/heatmap";
import { type Point, type SeriesMap, sentence } from "@/lib/analysis/series";
import { bytes, decimal, formatted } from "@/lib/format";
import { SYSTEM_PREFIX } from "@/live/fold";

const HEIGHT = 180;

/** Every numeric series of the run on a grid, with one cursor for all of them. */
export function MetricsView({ series, kind }: { series: SeriesMap; kind: Kind }) {
  const [text, setText] = useState("");
  const names = useMemo(
    () =>
      [...series.keys()].filter((name) => name.toLowerCase().includes(text.toLowerCase())).sort(compareNames),
    [series, text],
  );
  const own = names.filter((name) => !name.startsWith(SYSTEM_PREFIX));
  const machine = names.filter((name) => name.startsWith(SYSTEM_PREFIX) && !name.endsWith("_total_bytes"));
  if (series.size === 0)
    return <EmptyState title="No metrics yet">Numbers that the job reports appear here as lines.</EmptyState>;
  return (
    <div className="@container space-y-4">
      <input
        type="search"
        data-shortcut="search"
        aria-label="Filter the metrics"
        placeholder="Filter"
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="h-8 w-56 rounded-md border border-line-strong bg-card px-2.5 text-sm max-md:h-11 max-md:w-full"
      />
      <Grid names={own} series={series} kind={kind} />
      {machine.length > 0 && (
        <details open={own.length === 0}>
          <summary className="cursor-pointer py-1 font-semibold text-sm max-md:py-2.5">
            Machine <span className="font-normal text-text-2">processor, memory and GPU of the job</span>
          </summary>
          <div className="mt-3">
            <Grid names={machine} series={series} kind={kind} />
          </div>
        </details>
      )}
    </div>
  );
}

function Grid({ names, series, kind }: { names: readonly string[]; series: SeriesMap; kind: Kind }) {
  return (
    <div className="grid @3xl:grid-cols-2 gap-4">
      {names.map((name) => (
        <PanelBoundary key={name} title={name}>
          <OneMetric name={name} points={series.get(name) ?? []} kind={kind} />
        </PanelBoundary>
      ))}
    </div>
  );
}

/** What a metric of the machine is measured in, by the end of its name. */
function machineWords(name: string, value: number): string {
  if (name.endsWith("_bytes")) return bytes(value);
  const unit = { percent: "%", watts: "W", celsius: "°C" }[name.split("_").at(-1) ?? ""] ?? "";
  return `${decimal(value)} ${unit}`.trim();
}

function OneMetric({ name, points, kind }: { name: string; points: readonly Point[]; kind: Kind }) {
  const [isLog, setLog] = useState(false);
  const metric = kind.metrics.find((one) => one.name === name);
  const label = metric?.label ?? name;
  const lines = useMemo(() => [{ name, label, points }], [name, label, points]);
  const isMachine = name.startsWith(SYSTEM_PREFIX);
  const write = (value: number) =>
    isMachine ? machineWords(name, value) : formatted(value, metric?.format ?? "number");
  return (
    <Card
      title={label}
      actions={
        <PanelAction label="log scale" pressed={isLog} onClick={() => setLog(!isLog)}>
          log
        </PanelAction>
      }
    >
      <LineChart
        lines={lines}
        isLog={isLog}
        height={HEIGHT}
        xLabel={isMachine ? "second of the run" : "step"}
        write={write}
      />
      <p className="sr-only">{sentence(points, write)}</p>
    </Card>
  );
}
