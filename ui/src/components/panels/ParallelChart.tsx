import { memo, type ReactNode, useMemo, useState } from "react";
import { BOTTOM, ParallelAxis, SIDE, TOP } from "@/components/panels/ParallelAxis";
import { useWidth } from "@/components/panels/useWidth";
import type { Brushes, FieldAxis, ItemLine, Lines } from "@/lib/analysis/parallel";

interface ParallelChartProps {
  height: number;
  found: Lines;
  chosen: readonly ItemLine[];
  brushes: Brushes;
  onBrush: (field: string, brush: readonly [number, number] | null) => void;
  onOpen: (key: string) => void;
  nameOf: (axis: FieldAxis) => string;
  write: (field: string) => (value: unknown) => string;
  label: string;
  tip: (line: ItemLine) => ReactNode;
}

/** Axes nearer than this cannot be read: the chart scrolls instead. */
const LEAST = 84;
/** The best lines and some more; beyond, they are one carpet. */
const MOST_LINES = 1_000;

/** The drawing of parallel coordinates. */
export function ParallelChart(props: ParallelChartProps) {
  const { height, found, chosen, brushes, onOpen, tip } = props;
  const [box, outer] = useWidth<HTMLDivElement>();
  const [near, setNear] = useState<string | null>(null);
  const gaps = Math.max(1, found.axes.length - 1);
  const width = Math.max(outer, gaps * LEAST + 2 * SIDE);
  const tall = height - TOP - BOTTOM;
  const frame = useMemo(() => frameOf(width, height, gaps), [width, height, gaps]);
  const all = useMemo(
    () =>
      found.lines
        .slice(-MOST_LINES)
        .map((each) => pathOf(each, frame))
        .join(""),
    [found, frame],
  );
  const line = near === null ? undefined : chosen.find(({ item }) => item.key === near);
  return (
    <div className="relative min-w-0">
      <div ref={box} className="overflow-x-auto overflow-y-hidden">
        <svg role="group" aria-label={props.label} width={width} height={height} className="block text-2xs">
          <path d={all} className="fill-none stroke-line" />
          <ChosenLines lines={chosen} frame={frame} onNear={setNear} onOpen={onOpen} />
          {line && (
            <path
              d={pathOf(line, frame)}
              className="pointer-events-none fill-none stroke-focus"
              strokeWidth={3.5}
            />
          )}
          {found.axes.map((axis, index) => (
            <ParallelAxis
              key={axis.field}
              axis={axis}
              name={props.nameOf(axis)}
              x={frame.x(index)}
              tall={tall}
              brush={brushes[axis.field]}
              onBrush={(brush) => props.onBrush(axis.field, brush)}
              write={props.write(axis.field)}
              through={`${chosen.length} of ${found.lines.length}`}
              anchor={index === 0 ? "start" : index === gaps ? "end" : "middle"}
            />
          ))}
        </svg>
      </div>
      {line && (
        <p className="pointer-events-none absolute top-8 right-2 max-w-64 rounded-md border border-line-strong bg-card px-2.5 py-1 text-xs shadow-pop">
          {tip(line)}
        </p>
      )}
    </div>
  );
}

interface Frame {
  x(index: number): number;
  y(place: number): number;
}

const frameOf = (width: number, height: number, gaps: number): Frame => ({
  x: (index) => SIDE + (index * (width - 2 * SIDE)) / gaps,
  y: (place) => TOP + (1 - place) * (height - TOP - BOTTOM),
});

interface ChosenLinesProps {
  lines: readonly ItemLine[];
  frame: Frame;
  onNear: (key: string | null) => void;
  onOpen: (key: string) => void;
}

/** Drawn anew only when other lines are let through, not at each move of the pointer. */
const ChosenLines = memo(function ChosenLines({ lines, frame, onNear, onOpen }: ChosenLinesProps) {
  return (
    <g className="fill-none">
      {lines.slice(-MOST_LINES).map((each) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the table opens the same items by key
        <path
          key={each.item.key}
          d={pathOf(each, frame)}
          onPointerEnter={() => onNear(each.item.key)}
          onPointerLeave={() => onNear(null)}
          onClick={() => onOpen(each.item.key)}
          className="cursor-pointer"
          strokeWidth={1 + each.rank}
          style={{ stroke: colourOf(each.rank) }}
        />
      ))}
    </g>
  );
});

function pathOf({ places }: ItemLine, { x, y }: Frame): string {
  let isOpen = false;
  return places
    .map((place, index) => {
      if (place === null) {
        isOpen = false;
        return "";
      }
      const letter = isOpen ? "L" : "M";
      isOpen = true;
      return `${letter}${x(index).toFixed(1)} ${y(place).toFixed(1)}`;
    })
    .join("");
}

/** From grey for the worst to blue for the best: one ramp, which also reads as light and dark. */
const colourOf = (rank: number): string =>
  `color-mix(in oklab, var(--series-1) ${Math.round(100 * rank ** 2)}%, var(--line-strong))`;
