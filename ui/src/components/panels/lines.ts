/** uPlot with our look. The only module that imports it, so that it loads with the first chart. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { DASHES, type LineChartProps } from "@/components/panels/LineChart";
import { align, thin } from "@/lib/analysis/series";
import { compact } from "@/lib/format";

/** So few points are marked one by one. */
const FEW_POINTS = 40;

/** What has room beside an axis. */
const short = (tick: number, write: (value: number) => string): string => {
  const text = write(tick);
  return text.length > 8 ? compact(tick) : text;
};

const DAY_SECONDS = 86_400;

/** Hours and minutes; days where the axis is longer than some. */
function times(ticks: readonly number[]): string[] {
  const isLong = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) > 2 * DAY_SECONDS;
  const words = isLong ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return ticks.map((tick) =>
    new Date(tick * 1000).toLocaleString("en-GB", words as Intl.DateTimeFormatOptions),
  );
}

type Zoomed = (isZoomed: boolean) => void;

/** Draw lines into `parent`. `onZoom` is told when the reader zooms in or frees the view. */
export function plot(parent: HTMLElement, props: LineChartProps, onZoom: Zoomed): uPlot {
  const colour = colours(parent);
  const options: uPlot.Options = {
    width: Math.max(200, parent.clientWidth),
    height: props.height,
    legend: { show: false },
    cursor: {
      sync: { key: props.isTime ? "time" : "run" },
      points: { size: 6 },
      drag: { x: true, y: false },
    },
    scales: {
      x: { time: props.isTime ?? false },
      y: props.isLog ? { distr: 3 } : { range: props.most === undefined ? linearRange : [0, props.most] },
    },
    axes: [
      axis(colour, {
        size: 24,
        label: props.xLabel,
        labelSize: 16,
        labelGap: 0,
        labelFont: "11px system-ui, sans-serif",
        ...(props.isTime && { values: (_, ticks) => times(ticks) }),
      }),
      axis(colour, {
        size: 56,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick, props.write))),
      }),
    ],
    series: [
      { label: props.xLabel },
      ...props.lines.map(
        (line, index): uPlot.Series => ({
          label: line.label,
          stroke: colour(`--series-${(index % 6) + 1}`),
          width: 2,
          dash: [...(DASHES[index % DASHES.length] ?? [])],
          points: { show: (self) => self.data[0].length < FEW_POINTS, size: 5 },
          spanGaps: props.lines.length > 1 && !props.isTime,
        }),
      ),
    ],
    hooks: {
      setSelect: [(self) => onZoom(self.select.width > 0)],
      ready: [(self) => self.over.addEventListener("dblclick", () => onZoom(false))],
    },
  };
  return new uPlot(options, align(props.lines.map((line) => thin(line.points))) as uPlot.AlignedData, parent);
}

/** uPlot's own range, but nothing but zeros is drawn at the foot of a small one, not of one to 100. */
export function linearRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [null, null];
  return low === 0 && high === 0 ? [0, 1] : uPlot.rangeNum(low, high, 0.1, true);
}

function axis(colour: (name: string) => string, changes: Partial<uPlot.Axis>): uPlot.Axis {
  const line = { stroke: colour("--line"), width: 1 };
  return {
    stroke: colour("--text-3"),
    font: "11px system-ui, sans-serif",
    grid: line,
    ticks: { ...line, size: 4 },
    ...changes,
  };
}

/** A canvas cannot read CSS variables by itself. */
function colours(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}
