import { useMemo, useState } from "react";
import { LineChart } from "@/components/panels/LineChart";
import { PanelAction, PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { SeriesTable } from "@/components/panels/SeriesTable";
import type { PanelProps } from "@/components/panels/view";
import { sentence } from "@/lib/analysis/series";
import { formatted } from "@/lib/format";

const HEIGHT = 200;

/** Lines of metrics over their steps; the same numbers as a table and as one sentence. */
export function CurvePanel({ panel, view }: PanelProps<"Curve">) {
  const [isTable, setTable] = useState(false);
  const [isLog, setLog] = useState(panel.log);
  const lines = useMemo(
    () =>
      panel.metrics.map((name) => ({
        name,
        label: view.kind.metrics.find((metric) => metric.name === name)?.label ?? name,
        points: view.series.get(name) ?? [],
      })),
    [panel.metrics, view.kind, view.series],
  );
  const format = view.kind.metrics.find((metric) => metric.name === panel.metrics[0])?.format ?? "number";
  const write = (value: number) => formatted(value, format);
  const isEmpty = lines.every((line) => line.points.length === 0);
  return (
    <PanelFrame
      title={panel.title}
      actions={
        !isEmpty && (
          <>
            <PanelAction label="log scale" pressed={isLog} onClick={() => setLog(!isLog)}>
              log
            </PanelAction>
            <TableToggle isTable={isTable} onChange={setTable} />
          </>
        )
      }
    >
      {isEmpty ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
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
