import { type PointerEvent, type ReactNode, useMemo, useState } from "react";
import { useWidth } from "@/components/panels/useWidth";
import { linear, logarithmic, type Scale } from "@/lib/analysis/scale";
import { compact } from "@/lib/format";

export interface PlotAxis {
  readonly low: number;
  readonly high: number;
  readonly isLog?: boolean;
  /** What stands at the axis, such as "throughput → better". */
  readonly label: string;
  write(value: number): string;
}

/** A point that can be looked at and opened. */
export interface PlotPoint {
  readonly key: string;
  readonly x: number;
  readonly y: number;
}

export interface PlotScales {
  readonly x: Scale;
  readonly y: Scale;
  readonly width: number;
  readonly height: number;
}

export interface PlotProps<P extends PlotPoint> {
  x: PlotAxis;
  y: PlotAxis;
  height: number;
  /** The plot in one sentence, for those who do not see it. */
  label: string;
  points: readonly P[];
  onOpen: (key: string) => void;
  /** What the pointer's neighbour says of itself. */
  tip: (point: P) => ReactNode;
  children: (scales: PlotScales) => ReactNode;
}

const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 38;
const NEAR = 24;
const LONGEST_TICK = 7;

/** Two axes and what is drawn between them. The point nearest to the pointer tells its values; a click opens it. */
export function Plot<P extends PlotPoint>(props: PlotProps<P>) {
  const { height, points, onOpen, tip } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const [near, setNear] = useState<string | null>(null);
  // A pointer that moves draws the ring and the tip anew, and nothing else.
  const { x, y, drawn } = useMemo(
    () => drawing(props.x, props.y, width - LEFT - RIGHT, height - TOP - BOTTOM, props.children),
    [props.x, props.y, width, height, props.children],
  );
  const point = near === null ? undefined : points.find(({ key }) => key === near);
  const look = (event: PointerEvent<SVGSVGElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    const at = { x: event.clientX - frame.left - LEFT, y: event.clientY - frame.top - TOP };
    setNear(nearest(points, at, x, y));
  };
  return (
    <div ref={box} className="relative min-w-0">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table beside the chart opens the same items by key */}
      <svg
        role="img"
        aria-label={props.label}
        width={width}
        height={height}
        className="block max-w-full touch-pan-y overflow-visible"
        onPointerMove={look}
        onPointerDown={look}
        onPointerLeave={() => setNear(null)}
        onClick={() => near !== null && onOpen(near)}
        style={{ cursor: point ? "pointer" : undefined }}
      >
        <g transform={`translate(${LEFT} ${TOP})`}>
          {drawn}
          {point && (
            <circle
              cx={x.at(point.x)}
              cy={y.at(point.y)}
              r={8}
              className="pointer-events-none fill-none stroke-focus"
              strokeWidth={2}
            />
          )}
        </g>
      </svg>
      {point && (
        <Tip left={LEFT + x.at(point.x)} top={TOP + y.at(point.y)} width={width}>
          {tip(point)}
        </Tip>
      )}
    </div>
  );
}

function drawing(
  across: PlotAxis,
  up: PlotAxis,
  width: number,
  height: number,
  draw: (scales: PlotScales) => ReactNode,
) {
  const x = scaleOf(across, [0, width], width);
  const y = scaleOf(up, [height, 0], height * 2);
  const scales = { x, y, width, height };
  const drawn = (
    <>
      <Axes x={across} y={up} scales={scales} />
      {draw(scales)}
    </>
  );
  return { x, y, drawn };
}

function scaleOf(axis: PlotAxis, range: readonly [number, number], pixels: number): Scale {
  const count = Math.max(2, Math.min(6, Math.floor(pixels / 90)));
  if (axis.isLog && axis.low > 0) return logarithmic([axis.low, axis.high], range);
  return linear([axis.low, axis.high], range, count);
}

function nearest<P extends PlotPoint>(
  points: readonly P[],
  at: { x: number; y: number },
  x: Scale,
  y: Scale,
): string | null {
  let best: string | null = null;
  let distance = NEAR * NEAR;
  for (const point of points) {
    const away = (x.at(point.x) - at.x) ** 2 + (y.at(point.y) - at.y) ** 2;
    if (away < distance) [best, distance] = [point.key, away];
  }
  return best;
}

function Axes({ x, y, scales }: { x: PlotAxis; y: PlotAxis; scales: PlotScales }) {
  const { width, height } = scales;
  return (
    <g className="text-2xs">
      {scales.y.ticks.map((tick) => (
        <g key={tick} transform={`translate(0 ${scales.y.at(tick)})`}>
          <line x2={width} className="stroke-line" />
          <text x={-8} dy="0.32em" textAnchor="end" className="fill-text-3">
            {shortly(tick, y)}
          </text>
        </g>
      ))}
      <line x2={width} y1={height} y2={height} className="stroke-line-strong" />
      {scales.x.ticks.map((tick) => (
        <text key={tick} x={scales.x.at(tick)} y={height + 15} textAnchor="middle" className="fill-text-3">
          {x.write(tick)}
        </text>
      ))}
      <text x={width} y={height + 32} textAnchor="end" className="fill-text-2">
        {x.label}
      </text>
    </g>
  );
}

/** What fits beside the axis. */
function shortly(tick: number, axis: PlotAxis): string {
  const text = axis.write(tick);
  return text.length > LONGEST_TICK ? compact(tick) : text;
}

function Tip({
  left,
  top,
  width,
  children,
}: {
  left: number;
  top: number;
  width: number;
  children: ReactNode;
}) {
  const isRight = left > width / 2;
  return (
    <div
      className="pointer-events-none absolute z-10 max-w-64 rounded-md border border-line-strong bg-card px-2.5 py-1.5 text-xs shadow-pop"
      style={{
        top,
        ...(isRight ? { right: width - left + 12 } : { left: left + 12 }),
        transform: "translateY(-50%)",
      }}
    >
      {children}
    </div>
  );
}

/** A five-pointed star around a place. */
export function Star({ x, y, size = 7 }: { x: number; y: number; size?: number }) {
  const corners = Array.from({ length: 10 }, (_, index) => {
    const away = index % 2 === 0 ? size : size * 0.45;
    const angle = (Math.PI / 5) * index - Math.PI / 2;
    return `${(x + away * Math.cos(angle)).toFixed(1)},${(y + away * Math.sin(angle)).toFixed(1)}`;
  });
  return <polygon points={corners.join(" ")} className="fill-series-2 stroke-card" strokeWidth={1} />;
}
