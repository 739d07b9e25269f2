import { useEffect, useRef, useState } from "react";
import type uPlot from "uplot";
import type { Point } from "@/lib/analysis/series";
import { align, thin } from "@/lib/analysis/series";
import { patiently } from "@/lib/patiently";

export interface Line {
  readonly name: string;
  readonly label: string;
  readonly points: readonly Point[];
}

export interface LineChartProps {
  lines: readonly Line[];
  isLog: boolean;
  height: number;
  xLabel: string;
  write: (value: number) => string;
  /** The x axis holds unix seconds. */
  isTime?: boolean;
  /** The y axis goes from 0 to this. */
  most?: number;
}

/** A dash of its own per line: two of the six colours are too near for some eyes. */
export const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [14, 4]];

export function seriesColour(index: number): string {
  return `var(--series-${(index % 6) + 1})`;
}

/** Lines on a canvas. uPlot is loaded when the first chart is drawn; a zoom stays until a double click. */
export function LineChart(props: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const isZoomed = useRef(false);
  const theme = useTheme();
  const { lines, isLog, height, xLabel, write } = props;
  const shape = JSON.stringify([lines.map((line) => line.name), isLog, height, xLabel, theme]);
  const latest = useRef(props);
  latest.current = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for everything that needs a new chart
  useEffect(() => {
    const parent = box.current;
    if (parent === null) return;
    let isGone = false;
    const sizes = new ResizeObserver(() => {
      if (parent.clientWidth > 0) chart.current?.setSize({ width: parent.clientWidth, height });
    });
    void patiently(() => import("@/components/panels/lines"))().then(({ plot }) => {
      if (isGone) return;
      chart.current = plot(parent, latest.current, (zoomed) => {
        isZoomed.current = zoomed;
      });
      sizes.observe(parent);
    });
    return () => {
      isGone = true;
      sizes.disconnect();
      chart.current?.destroy();
      chart.current = null;
      isZoomed.current = false;
    };
  }, [shape]);

  useEffect(() => {
    chart.current?.setData(
      align(lines.map((line) => thin(line.points))) as uPlot.AlignedData,
      !isZoomed.current,
    );
    if (isZoomed.current) chart.current?.redraw();
  }, [lines]);

  return (
    <div>
      <div ref={box} aria-hidden className="min-w-0" style={{ height }} />
      <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {lines.map((line, index) => (
          <LegendEntry key={line.name} line={line} index={index} write={write} />
        ))}
      </ul>
    </div>
  );
}

function LegendEntry({
  line,
  index,
  write,
}: {
  line: Line;
  index: number;
  write: (value: number) => string;
}) {
  const last = line.points.findLast((point) => point[1] !== null)?.[1] ?? null;
  return (
    <li className="flex items-center gap-1.5">
      <svg aria-hidden="true" width="22" height="4">
        <line
          x1="0"
          x2="22"
          y1="2"
          y2="2"
          strokeWidth="2"
          strokeDasharray={DASHES[index % DASHES.length]?.join(" ")}
          style={{ stroke: seriesColour(index) }}
        />
      </svg>
      <span className="text-text-2">{line.label}</span>
      <span className="font-medium">{last === null ? "–" : write(last)}</span>
    </li>
  );
}

/** Canvas colours are fixed when a chart is made, so a change of theme makes a new one. */
function useTheme(): string {
  const [theme, setTheme] = useState(() => document.documentElement.className);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(document.documentElement.className));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => observer.disconnect();
  }, []);
  return theme;
}
