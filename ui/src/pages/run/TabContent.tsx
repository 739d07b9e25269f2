import { useMemo } from "react";
import type { LogLevel } from "@/api/types";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { KindPanels } from "@/components/panels/registry";
import type { PanelView } from "@/components/panels/view";
import { FilesView } from "@/components/run/FilesView";
import { LogView } from "@/components/run/LogView";
import { MetricsView } from "@/components/run/MetricsView";
import { ParamsView } from "@/components/run/ParamsView";
import { ResultsTable } from "@/components/run/results/ResultsTable";
import { UnitStrip } from "@/components/run/UnitStrip";
import { WhoView } from "@/components/run/WhoView";
import { isConsole } from "@/lib/analysis/sentence";
import { strip } from "@/lib/analysis/strip";
import { useLogLines } from "@/pages/run/useLogLines";
import type { RunData } from "@/pages/run/useRunData";
import type { RunUrl } from "@/pages/run/useRunUrl";
import { useThrottled } from "@/pages/run/useThrottled";

const MANY_ITEMS = 20_000;

export interface TabContentProps {
  data: RunData;
  url: RunUrl;
  isFrozen: boolean;
  isPhone: boolean;
  onParams: (values: Record<string, unknown>) => Promise<void>;
}

export function TabContent(props: TabContentProps) {
  const { data, url } = props;
  const { run, kind, series } = data;
  switch (url.tab) {
    case "results":
      return <Results {...props} className="h-[calc(100dvh-27rem)] min-h-96" />;
    case "metrics":
      return <MetricsView series={series} kind={kind} />;
    case "logs":
      return <Logs {...props} />;
    case "files":
      return <FilesView runId={run.id} version={run.artifacts} />;
    case "params":
      return <ParamsView run={run} />;
    case "who":
      return <WhoView runId={run.id} version={`${run.status} ${run.pending} ${run.attempt} ${run.name}`} />;
    default:
      return isConsole(run, kind) ? <Console {...props} /> : <Overview {...props} />;
  }
}

/** The rows come right after the kind's first panel: one sees them arrive without scrolling. */
function Overview(props: TabContentProps) {
  const { data, url, onParams } = props;
  const { run, kind, items, series } = data;
  // Panels count every item anew: twice a second is enough for a reader, and less for very many items.
  const finished = useThrottled(items.finished, items.finished.length > MANY_ITEMS ? 2_000 : 500);
  const cells = useMemo(
    () => strip(finished.toReversed(), items.inHand.length, run.progress.total),
    [finished, items.inHand.length, run.progress.total],
  );
  const view: PanelView = {
    kind,
    run,
    items: finished,
    series,
    conditions: url.table.conditions,
    onFilter: (conditions) => url.onTable({ conditions }),
    onParams,
  };
  return (
    <div className="space-y-4">
      <KindPanels view={view} panels={kind.panels.slice(0, 1)} />
      <Results {...props} className="h-[22rem] max-h-[70dvh]" />
      <KindPanels view={view} panels={kind.panels.slice(1)} />
      {cells.length > 0 && (
        <UnitStrip cells={cells} kind={kind} onOpen={(key) => url.onTable({ open: key })} />
      )}
    </div>
  );
}

/** A command without items: its lines are what there is to see, and its metrics where it tells some. */
function Console(props: TabContentProps) {
  const { series, kind } = props.data;
  return (
    <div className="space-y-4">
      <Logs {...props} />
      {Object.keys(series).length > 0 && <MetricsView series={series} kind={kind} />}
    </div>
  );
}

function Results({ data, url, isFrozen, isPhone, className }: TabContentProps & { className: string }) {
  const { run, kind, items } = data;
  if (items.error !== null) return <ErrorPanel error={items.error} onRetry={items.reload} />;
  return (
    <ResultsTable
      run={run}
      kind={kind}
      items={items.finished}
      isWhole={items.isWhole}
      isReady={items.isReady}
      isFrozen={isFrozen}
      isPhone={isPhone}
      state={url.table}
      onState={url.onTable}
      className={className}
    />
  );
}

function Logs({ data, url }: TabContentProps) {
  const { lines, isReady, isWhole } = useLogLines(data.run.id);
  return (
    <LogView
      lines={lines}
      isReady={isReady}
      isWhole={isWhole}
      level={(url.search.level ?? "info") as LogLevel}
      text={url.search.log ?? ""}
      onLevel={(level) => url.onWords({ level: level === "info" ? undefined : level })}
      onText={(text) => url.onWords({ log: text || undefined }, true)}
    />
  );
}
