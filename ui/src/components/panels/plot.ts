/** uPlot with our look. The only module that imports it, so that it loads with the first chart. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { DASHES, type LineChartProps } from "@/components/panels/LineChart";
import { align, thin } from "@/lib/analysis/series";

/** So few points are marked one by one. */
const FEW_POINTS = 40;

type Zoomed = (isZoomed: boolean) => void;

/** Draw lines into `parent`. `onZoom` is told when the reader zooms in or frees the view. */
export function plot(parent: HTMLElement, props: LineChartProps, onZoom: Zoomed): uPlot {
  const colour = colours(parent);
  const options: uPlot.Options = {
    width: Math.max(200, parent.clientWidth),
    height: props.height,
    legend: { show: false },
    cursor: { sync: { key: "run" }, points: { size: 6 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: { distr: props.isLog ? 3 : 1 } },
    axes: [
      axis(colour, { size: 28 }),
      axis(colour, {
        size: 56,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : props.write(tick))),
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
          spanGaps: props.lines.length > 1,
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
