import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { type FieldAxis, nudged } from "@/lib/analysis/parallel";

type Brush = readonly [number, number];

/** Room around the axes, in pixels. */
export const TOP = 34;
export const BOTTOM = 22;
export const SIDE = 44;

interface AxisProps {
  axis: FieldAxis;
  name: string;
  x: number;
  tall: number;
  brush: Brush | undefined;
  onBrush: (brush: Brush | null) => void;
  write: (value: unknown) => string;
  /** How many lines are let through, for those who do not see them. */
  through: string;
  anchor: "start" | "middle" | "end";
}

const HALF = 14;
const SMALLEST = 0.02;

/** One axis: its name, its values, and the brush that a drag or the arrow keys move. */
export function ParallelAxis({ axis, name, x, tall, brush, onBrush, write, through, anchor }: AxisProps) {
  const began = useRef<number | null>(null);
  const placeOf = (event: PointerEvent<SVGRectElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - frame.top) / (frame.height || 1)));
  };
  const onPointerDown = (event: PointerEvent<SVGRectElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    began.current = placeOf(event);
  };
  const onPointerMove = (event: PointerEvent<SVGRectElement>) => {
    if (began.current === null) return;
    const now = placeOf(event);
    if (Math.abs(now - began.current) > SMALLEST)
      onBrush([Math.min(now, began.current), Math.max(now, began.current)]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowUp" ? 0.1 : event.key === "ArrowDown" ? -0.1 : null;
    if (by !== null) {
      event.preventDefault();
      onBrush(nudged(brush, by, event.shiftKey ? "top" : "both"));
    } else if (event.key === "Escape" || event.key === "Delete" || event.key === "Backspace") {
      event.stopPropagation();
      onBrush(null);
    }
  };
  const valueAt = (place: number) =>
    axis.names === null
      ? write(axis.low + place * (axis.high - axis.low))
      : (axis.names[Math.min(axis.names.length - 1, Math.floor(place * axis.names.length))] ?? "");
  const words = brush ? `${valueAt(brush[0])} to ${valueAt(brush[1])}` : "all";
  return (
    <g transform={`translate(${x} 0)`}>
      <text y={14} {...standOf(name, anchor)} className="fill-text font-medium text-xs">
        <title>{name}</title>
        {name.length > 18 ? `${name.slice(0, 17)}…` : name}
      </text>
      <line y1={TOP} y2={TOP + tall} className="stroke-control-border" strokeWidth={1.5} />
      {axis.names === null ? (
        <>
          <AxisLabel y={TOP - 6} {...standOf(write(axis.high), anchor)}>
            {write(axis.high)}
          </AxisLabel>
          <AxisLabel y={TOP + tall + 14} {...standOf(write(axis.low), anchor)}>
            {write(axis.low)}
          </AxisLabel>
        </>
      ) : (
        axis.names.map((value, index, all) => (
          <AxisLabel
            key={value}
            y={TOP + (1 - (index + 0.5) / all.length) * tall + 3}
            textAnchor={anchor === "end" ? "end" : "start"}
            dx={anchor === "end" ? -6 : 6}
          >
            {value.length > 14 ? `${value.slice(0, 13)}…` : value}
          </AxisLabel>
        ))
      )}
      {brush && (
        <rect
          x={-6}
          width={12}
          y={TOP + (1 - brush[1]) * tall}
          height={Math.max(2, (brush[1] - brush[0]) * tall)}
          rx={3}
          className="fill-primary/25 stroke-primary"
        />
      )}
      <rect
        x={-HALF}
        width={HALF * 2}
        y={TOP}
        height={tall}
        fill="transparent"
        role="slider"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label={`${name}: arrow keys move the filter, Shift and an arrow changes its size, Escape clears it`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(((brush?.[0] ?? 0) + (brush?.[1] ?? 1)) * 50)}
        aria-valuetext={`${words}, ${through} shown`}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={() => {
          began.current = null;
        }}
        onDoubleClick={() => onBrush(null)}
        onKeyDown={onKeyDown}
        className="cursor-ns-resize touch-none rounded-md"
      />
    </g>
  );
}

/** So many letters have room in the middle of the first and the last axis. */
const SHORT = 11;

/** A short name stands in the middle of its axis; at the edges a long one begins or ends with the room there is. */
const standOf = (text: string, anchor: AxisProps["anchor"]) =>
  text.length <= SHORT || anchor === "middle"
    ? { textAnchor: "middle" as const }
    : { textAnchor: anchor, dx: anchor === "start" ? -SIDE + 8 : SIDE - 8 };

interface AxisLabelProps {
  y: number;
  textAnchor: AxisProps["anchor"];
  dx?: number;
  children: string;
}

function AxisLabel(props: AxisLabelProps) {
  return (
    <text
      {...props}
      className="pointer-events-none fill-text-3"
      paintOrder="stroke"
      style={{ stroke: "var(--card)", strokeWidth: 3 }}
    />
  );
}
