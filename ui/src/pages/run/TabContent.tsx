import { useMemo, useRef } from "react";
import { isTerminal, type LogLevel } from "@/api/types";
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
import { SYSTEM_PREFIX } from "@/live/fold";
import type { Loading } from "@/pages/run/useLoading";
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
  const { run } = data;
  switch (url.tab) {
    case "results":
      return <Results {...props} className="h-[calc(100dvh-27rem)] min-h-96" />;
    case "metrics":
      return <Metrics data={data} />;
    case "logs":
      return <Logs {...props} />;
    case "files":
      return <FilesView runId={run.id} />;
    case "params":
      return <ParamsView run={run} />;
    case "who":
      return <WhoView runId={run.id} version={`${run.status} ${run.pending} ${run.attempt} ${run.name}`} />;
    default:
      return hasOnlyLines(data) ? <Console {...props} /> : <Overview {...props} />;
  }
}

/** A command without items, or one whose bar alone tells how far it is: there are no rows to wait for. */
export function hasOnlyLines({ run, kind, items }: RunData): boolean {
  const hasRows = items.finished.length > 0 || items.inHand.length > 0;
  return isConsole(run, kind) || (kind.name === "script" && items.isReady && !hasRows);
}

/** The rows come right after the kind's first panel: one sees them arrive without scrolling. */
function Overview(props: TabContentProps) {
  const { run, kind, items } = props.data;
  const view = usePanelView(props);
  // Where a result stands for several units, such as the steps between two evaluations, the rest cannot be counted in cells.
  const isOneEach = !items.isWhole || items.finished.length >= run.progress.done;
  const cells = useMemo(
    () => strip(view.items.toReversed(), items.inHand.length, isOneEach ? run.progress.total : null),
    [view.items, items.inHand.length, isOneEach, run.progress.total],
  );
  const [first, rest] = useMemo(() => [kind.panels.slice(0, 1), kind.panels.slice(1)], [kind.panels]);
  return (
    <div className="space-y-4">
      <Refusal {...props.data.seriesLoading} />
      <KindPanels view={view} panels={first} />
      <Results
        {...props}
        className={isTerminal(run.status) ? "max-h-[min(22rem,70dvh)]" : "h-[22rem] max-h-[70dvh]"}
      />
      <KindPanels view={view} panels={rest} />
      {cells.length > 0 && !kind.ends_at && (
        <UnitStrip
          cells={cells}
          unit={isOneEach ? kind.unit : "result"}
          units={isOneEach ? kind.units : "results"}
          onOpen={view.onOpen}
        />
      )}
    </div>
  );
}

/**
 * What the panels see. It is the same object until there is something new to see,
 * so that a clock that ticks on the page draws none of them anew.
 */
function usePanelView({ data, url, onParams }: TabContentProps): PanelView {
  // Panels count every item anew: twice a second is enough for a reader, and less for very many items.
  const { run, kind, items, series } = useThrottled(
    data,
    data.items.finished.length > MANY_ITEMS ? 2_000 : 500,
  );
  const { finished } = items;
  const latest = useRef({ url, onParams });
  latest.current = { url, onParams };
  const { conditions } = url.table;
  const chosen = JSON.stringify(conditions);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `chosen` stands for the conditions, which the address makes anew each time
  return useMemo(
    () => ({
      kind,
      run,
      items: finished,
      series,
      conditions,
      onFilter: (wanted) => latest.current.url.onTable({ conditions: wanted }),
      onOpen: (key) => latest.current.url.onTable({ open: key }),
      onParams: (values) => latest.current.onParams(values),
    }),
    [kind, run, finished, series, chosen],
  );
}

/** Its lines are what there is to see, and its metrics where it tells some. */
function Console(props: TabContentProps) {
  const { series, seriesLoading } = props.data;
  const hasOwn = [...series.keys()].some((name) => !name.startsWith(SYSTEM_PREFIX));
  return (
    <div className="space-y-4">
      <Logs {...props} />
      {(hasOwn || seriesLoading.error !== null) && <Metrics data={props.data} />}
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

function Metrics({ data: { series, seriesLoading, kind } }: { data: RunData }) {
  return (
    <div className="space-y-4">
      <Refusal {...seriesLoading} />
      {(series.size > 0 || seriesLoading.error === null) && <MetricsView series={series} kind={kind} />}
    </div>
  );
}

function Logs({ data, url }: TabContentProps) {
  const { lines, isReady, isWhole, error, reload } = useLogLines(data.run.id);
  return (
    <div className="space-y-4">
      <Refusal error={error} reload={reload} />
      {(lines.length > 0 || error === null) && (
        <LogView
          lines={lines}
          isReady={isReady}
          isWhole={isWhole}
          level={(url.search.level ?? "info") as LogLevel}
          text={url.search.log ?? ""}
          onLevel={(level) => url.onWords({ level: level === "info" ? undefined : level })}
          onText={(text) => url.onWords({ log: text || undefined }, true)}
        />
      )}
    </div>
  );
}

/** Why what is already there could not be read; what comes live goes on. */
function Refusal({ error, reload }: Loading) {
  return error === null ? null : <ErrorPanel error={error} onRetry={reload} />;
}
