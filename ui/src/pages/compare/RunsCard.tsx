import { Link } from "@tanstack/react-router";
import type { Kind, Metric, RunHeader } from "@/api/types";
import { Card } from "@/components/base/Card";
import { SideScroll } from "@/components/base/SideScroll";
import { Elapsed, RelativeTime } from "@/components/base/Time";
import { figureOf } from "@/components/kinds";
import { DASHES, seriesColour } from "@/components/panels/LineChart";
import { RunBadge } from "@/components/run/RunBadge";
import { cn } from "@/lib/cn";
import { count } from "@/lib/format";
import { bestOf, MOST_RUNS } from "@/pages/compare/chosen";

const MOST_METRICS = 5;

interface RunsCardProps {
  runs: readonly RunHeader[];
  kind: Kind;
  chosen: readonly string[];
  onToggle: (id: string) => void;
}

/** The figures of this kind's runs, newest first; a tick draws a run's curve above. */
export function RunsCard({ runs, kind, chosen, onToggle }: RunsCardProps) {
  const metrics = kind.metrics
    .filter(({ name }) => runs.some((run) => run.metrics[name] !== undefined))
    .slice(0, MOST_METRICS);
  return (
    <Card title="Runs" actions={<Note count={chosen.length} />} padded={false}>
      <SideScroll className="max-h-96 overflow-auto">
        <table className="w-full whitespace-nowrap text-sm">
          <thead className="sticky top-0 z-10 bg-card text-text-2 text-xs">
            <tr className="border-line border-b">
              <Head left>Run</Head>
              <Head left>Status</Head>
              <Head>{kind.units}</Head>
              {metrics.map(({ name, label }) => (
                <Head key={name}>{label}</Head>
              ))}
              <Head>Time</Head>
              <Head>Ended</Head>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Row
                key={run.id}
                run={run}
                kind={kind}
                metrics={metrics}
                best={new Map(metrics.map(({ name }) => [name, bestOf(runs, kind, name)]))}
                place={chosen.indexOf(run.id)}
                isFull={chosen.length >= MOST_RUNS}
                onToggle={onToggle}
              />
            ))}
          </tbody>
        </table>
      </SideScroll>
    </Card>
  );
}

function Note({ count: chosen }: { count: number }) {
  return (
    <span className="text-text-3 text-xs">
      {chosen} of {MOST_RUNS} drawn
    </span>
  );
}

function Head({ children, left = false }: { children: string; left?: boolean }) {
  return (
    <th
      scope="col"
      className={cn("px-3 py-2 font-medium first-letter:uppercase", left ? "text-left" : "text-right")}
    >
      {children}
    </th>
  );
}

interface RowProps {
  run: RunHeader;
  kind: Kind;
  metrics: readonly Metric[];
  best: ReadonlyMap<string, number | null>;
  /** Its place among the drawn runs; -1: it is not drawn. */
  place: number;
  isFull: boolean;
  onToggle: (id: string) => void;
}

function Row({ run, kind, metrics, best, place, isFull, onToggle }: RowProps) {
  return (
    <tr className="border-line border-t hover:bg-hover">
      <th scope="row" className="max-w-72 px-3 py-1.5 text-left font-normal">
        <span className="flex items-center gap-2.5">
          <label className="grid shrink-0 place-items-center max-md:size-11">
            <input
              type="checkbox"
              aria-label={`Draw ${run.name} #${run.number}`}
              checked={place >= 0}
              disabled={place < 0 && isFull}
              onChange={() => onToggle(run.id)}
              className="size-4 accent-primary"
            />
          </label>
          <Swatch place={place} />
          <Link
            to="/runs/$runId"
            params={{ runId: run.id }}
            className="truncate font-medium hover:underline"
            title={run.name}
          >
            {run.name}
          </Link>
          <span className="text-text-3 text-xs">#{run.number}</span>
        </span>
      </th>
      <td className="px-3 py-1.5">
        <RunBadge run={run} kind={kind} />
      </td>
      <td className="px-3 py-1.5 text-right">
        {count(run.progress.done)}
        {run.progress.total !== null && <span className="text-text-3"> / {count(run.progress.total)}</span>}
      </td>
      {metrics.map((metric) => {
        const figure = figureOf(run, metric);
        const isBest = figure !== null && figure.value !== null && figure.value === best.get(metric.name);
        return (
          <td key={metric.name} className={cn("px-3 py-1.5 text-right", isBest && "font-semibold")}>
            {figure?.text ?? "–"}
            {isBest && <span className="ml-1.5 font-normal text-pass text-xs">best</span>}
          </td>
        );
      })}
      <td className="px-3 py-1.5 text-right text-text-2">
        <Elapsed seconds={run.active_seconds} since={run.active_since} />
      </td>
      <td className="px-3 py-1.5 text-right text-text-2">
        {run.ended_at ? <RelativeTime time={run.ended_at} short /> : "–"}
      </td>
    </tr>
  );
}

/** The line's own colour and dash, so that the table is the chart's legend too. */
function Swatch({ place }: { place: number }) {
  return (
    <svg aria-hidden="true" width="18" height="4" className="shrink-0 max-sm:hidden">
      {place >= 0 && (
        <line
          x2="18"
          y1="2"
          y2="2"
          strokeWidth="2"
          strokeDasharray={DASHES[place % DASHES.length]?.join(" ")}
          style={{ stroke: seriesColour(place) }}
        />
      )}
    </svg>
  );
}
