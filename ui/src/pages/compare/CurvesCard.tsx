import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { metricsQuery } from "@/api/queries";
import type { Kind, RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { LineChart } from "@/components/panels/LineChart";
import { PanelAction, PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { SeriesTable } from "@/components/panels/SeriesTable";
import { finite, sentence } from "@/lib/analysis/series";
import { formatted } from "@/lib/format";

const HEIGHT = 280;
const LIVE_MS = 3_000;

interface CurvesCardProps {
  runs: readonly RunHeader[];
  kind: Kind;
  metric: string;
  onMetric: (name: string) => void;
}

/** One metric of several runs over their steps, on the same axes. */
export function CurvesCard({ runs, kind, metric: name, onMetric }: CurvesCardProps) {
  const [isLog, setLog] = useState(false);
  const [isTable, setTable] = useState(false);
  const metric = kind.metrics.find((one) => one.name === name);
  const write = (value: number) => formatted(value, metric?.format ?? "number");
  const pages = useQueries({
    queries: runs.map((run) => ({
      ...metricsQuery(run.id, [name]),
      refetchInterval: isTerminal(run.status) ? (false as const) : LIVE_MS,
    })),
    combine: (results) => results.map(({ data }) => data),
  });
  const lines = useMemo(
    () =>
      runs.map((run, index) => ({
        name: run.id,
        label: `${run.name} #${run.number}`,
        points: (pages[index]?.series[name] ?? []).map(([step, value]) => [step, finite(value)] as const),
      })),
    [runs, pages, name],
  );
  const isEmpty = lines.every(({ points }) => points.length === 0);
  return (
    <PanelFrame
      title={`${metric?.label ?? name} by step`}
      actions={
        <>
          <PanelSelect
            label="Metric"
            value={name}
            options={kind.metrics.map((one) => ({ value: one.name, label: one.label }))}
            onChange={onMetric}
          />
          <PanelAction label="Logarithmic scale" pressed={isLog} onClick={() => setLog(!isLog)}>
            log
          </PanelAction>
          <TableToggle isTable={isTable} onChange={setTable} />
        </>
      }
    >
      {isEmpty ? (
        <PanelEmpty>
          {runs.length === 0 ? "Choose runs below." : "These runs have no points of this metric yet."}
        </PanelEmpty>
      ) : isTable ? (
        <SeriesTable lines={lines} write={write} height={HEIGHT + 24} />
      ) : (
        <LineChart lines={lines} isLog={isLog} height={HEIGHT} xLabel="step" write={write} />
      )}
      <p className="sr-only">
        {lines.map((line) => `${line.label}: ${sentence(line.points, write)}`).join(" ")}
      </p>
    </PanelFrame>
  );
}
