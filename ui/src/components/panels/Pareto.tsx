import { type ReactNode, useMemo, useState } from "react";
import { PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { Plot, type PlotAxis, type PlotScales, Star } from "@/components/panels/Plot";
import { PlotTable } from "@/components/panels/PlotTable";
import { labelOf, nameOfItem, type PanelProps, type PanelView, writerOf } from "@/components/panels/view";
import { type Axis, type Pareto, pareto, type Spot } from "@/lib/analysis/pareto";
import { padded } from "@/lib/analysis/scale";
import { cn } from "@/lib/cn";
import { counted } from "@/lib/format";
import { capital } from "@/lib/status";

const HEIGHT = 260;

/** Items by two numbers, and the front: those that no other item beats in both. */
export function ParetoPanel({ panel, view }: PanelProps<"Pareto">) {
  const [isTable, setTable] = useState(false);
  const axes = useMemo(() => panel.axes.map(([field, goal]): Axis => ({ field, goal })), [panel.axes]);
  const [chosen, setChosen] = useState<readonly [number, number]>([0, 1]);
  const x = axes[chosen[0]] ?? NO_AXIS;
  const y = axes[chosen[1]] ?? x;
  const { best: kept, score = null } = panel;
  const found = useMemo(() => pareto(view.items, x, y, { kept, score }), [view.items, x, y, kept, score]);
  const isEmpty = found.spots.length === 0;
  const side = {
    x: sideOf(view, x),
    y: sideOf(view, y),
    best: kept && labelOf(view.kind, kept),
    score: score && labelOf(view.kind, score),
  };
  return (
    <PanelFrame
      title={panel.title}
      actions={!isEmpty && <TableToggle isTable={isTable} onChange={setTable} />}
    >
      {isEmpty ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : isTable ? (
        <PlotTable
          heads={[capital(view.kind.unit), side.x.label, side.y.label]}
          rows={[...found.front, ...found.spots.filter((spot) => !spot.isFront)].map((spot) => ({
            key: spot.key,
            name: nameOfItem(spot.item),
            cells: [side.x.write(spot.x), side.y.write(spot.y)],
            mark: spot.isFront ? "★ front" : null,
          }))}
          height={HEIGHT + 24}
          onOpen={view.onOpen}
        />
      ) : (
        <ParetoPlot
          found={found}
          sides={side}
          view={view}
          choice={
            axes.length > 2 && (
              <AxisChoice
                labels={axes.map(
                  ({ field, goal }) => `${labelOf(view.kind, field)} ${goal === "min" ? "↓" : "↑"}`,
                )}
                chosen={chosen}
                onChange={setChosen}
              />
            )
          }
        />
      )}
    </PanelFrame>
  );
}

const NO_AXIS: Axis = { field: "", goal: "min" };

interface AxisChoiceProps {
  labels: readonly string[];
  chosen: readonly [number, number];
  onChange: (chosen: readonly [number, number]) => void;
}

function AxisChoice({ labels, chosen, onChange }: AxisChoiceProps) {
  const options = labels.map((label, index) => ({ value: String(index), label }));
  return (["Up", "Across"] as const).map((label) => {
    const which = label === "Up" ? 1 : 0;
    return (
      <span key={label} className="flex min-w-0 items-center gap-1.5">
        {label}
        <PanelSelect
          label={label}
          value={String(chosen[which])}
          options={options}
          onChange={(value) => onChange(moved(chosen, which, Number(value)))}
        />
      </span>
    );
  });
}

/** Choosing the field of the other side swaps the two. */
function moved(chosen: readonly [number, number], which: number, to: number): readonly [number, number] {
  if (chosen[1 - which] === to) return [chosen[1], chosen[0]];
  return which === 0 ? [to, chosen[1]] : [chosen[0], to];
}

interface Side {
  label: string;
  goal: Axis["goal"];
  write: (value: number) => string;
}

interface Sides {
  x: Side;
  y: Side;
  /** The limits that are promised, in words. */
  best: string | null;
  /** What only an item has that was measured whole, in words. */
  score: string | null;
}

const sideOf = ({ kind }: PanelView, { field, goal }: Axis): Side => ({
  label: labelOf(kind, field),
  goal,
  write: writerOf(kind, field),
});

interface ParetoPlotProps {
  found: Pareto;
  sides: Sides;
  view: PanelView;
  choice: ReactNode;
}

function ParetoPlot({ found, sides, view, choice }: ParetoPlotProps) {
  const { x, y, best, score } = sides;
  const { unit, units } = view.kind;
  return (
    <>
      <p
        className={cn("min-h-7 text-text-2 text-xs", choice ? "grid grid-cols-2 gap-3" : "flex items-center")}
      >
        {choice || `${y.label}, ${y.goal === "min" ? "↓" : "↑"} better`}
      </p>
      <Plot
        height={HEIGHT}
        label={`${counted(found.spots.length, unit, units)} by ${x.label} and ${y.label}; ${found.front.length} of them are beaten by no other.`}
        x={axisOf(
          found.spots.map((spot) => spot.x),
          `${x.label}, ${x.goal === "min" ? "← better" : "better →"}`,
          x.write,
        )}
        y={axisOf(
          found.spots.map((spot) => spot.y),
          y.label,
          y.write,
        )}
        points={found.spots}
        onOpen={view.onOpen}
        tip={(spot) => (
          <>
            <p className="truncate font-medium">
              {spot.isFront && "★ "}
              {nameOfItem(spot.item)}
            </p>
            <p className="text-text-2">
              {x.label} {x.write(spot.x)}
            </p>
            <p className="text-text-2">
              {y.label} {y.write(spot.y)}
            </p>
            {!spot.isKept && <p className="text-warn">{best}: no</p>}
            {!spot.isWhole && <p className="text-warn">{score}: none</p>}
          </>
        )}
      >
        {(scales) => <Marks found={found} scales={scales} />}
      </Plot>
      <p className="mt-1 text-text-2 text-xs">
        ★ beaten by no other ({found.front.length})
        {best && found.spots.some((spot) => !spot.isKept) && ` · ○ ${best}: no`}
        {score && found.spots.some((spot) => !spot.isWhole) && ` · ○ ${score}: none`}
      </p>
    </>
  );
}

function axisOf(values: readonly number[], label: string, write: (value: number) => string): PlotAxis {
  const [low, high] = padded(values, 0.1);
  return { low, high, label, write };
}

function Marks({ found, scales: { x, y } }: { found: Pareto; scales: PlotScales }) {
  const place = (spot: Spot) => `${x.at(spot.x)} ${y.at(spot.y)}`;
  return (
    <>
      {found.spots
        .filter((spot) => !spot.isFront)
        .map((spot) => (
          <circle
            key={spot.key}
            cx={x.at(spot.x)}
            cy={y.at(spot.y)}
            r={3.5}
            className={spot.isKept && spot.isWhole ? "fill-text-3 opacity-60" : "fill-card stroke-text-3"}
            strokeWidth={1.5}
          />
        ))}
      {found.front.length > 1 && (
        <path
          d={`M${found.front.map(place).join("L")}`}
          className="pointer-events-none fill-none stroke-series-2"
          strokeWidth={1.5}
          strokeDasharray="5 4"
        />
      )}
      {found.front.map((spot) => (
        <Star key={spot.key} x={x.at(spot.x)} y={y.at(spot.y)} />
      ))}
    </>
  );
}
