import { useMemo, useState } from "react";
import { PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { ParallelChart } from "@/components/panels/ParallelChart";
import { PlotTable } from "@/components/panels/PlotTable";
import { labelOf, nameOfItem, type PanelProps, writerOf } from "@/components/panels/view";
import { type Brushes, type FieldAxis, isChosenLine, parallel } from "@/lib/analysis/parallel";
import { count, counted } from "@/lib/format";
import { capital, within } from "@/lib/status";

const SHARES = [1, 0.5, 0.25, 0.1];
const HEIGHT = 300;

/** A line per item through one axis per field; a drag on an axis, or its arrow keys, lets fewer lines through. */
export function ParallelCoordinatesPanel({ panel, view }: PanelProps<"ParallelCoordinates">) {
  const [isTable, setTable] = useState(false);
  const [share, setShare] = useState(1);
  const [brushes, setBrushes] = useState<Brushes>({});
  const { unit, units } = view.kind;
  const found = useMemo(
    () => parallel(view.items, panel.fields, panel.value, panel.goal),
    [view.items, panel.fields, panel.value, panel.goal],
  );
  const chosen = useMemo(
    () => found.lines.filter((line) => isChosenLine(line, found.axes, brushes, share)),
    [found, brushes, share],
  );
  const nameOf = (axis: FieldAxis) =>
    view.kind.columns.find(({ name }) => name === axis.field)?.label ??
    axis.field.slice(axis.prefix.length).replaceAll("_", " ");
  const write = (field: string) => writerOf(view.kind, field);
  const isFiltered = share < 1 || Object.keys(brushes).length > 0;
  const isEmpty = found.lines.length === 0;
  // The value has a column of its own in the table.
  const others = found.axes.filter(({ field }) => field !== panel.value);
  return (
    <PanelFrame
      title={panel.title}
      note="drag on an axis to filter, double click to clear"
      actions={
        !isEmpty && (
          <>
            <PanelSelect
              label={`Which ${units}`}
              value={String(share)}
              options={SHARES.map((each) => ({
                value: String(each),
                label: each === 1 ? `all ${units}` : `best ${each * 100} %`,
              }))}
              onChange={(value) => setShare(Number(value))}
            />
            <TableToggle isTable={isTable} onChange={setTable} />
          </>
        )
      }
    >
      {isEmpty ? (
        <PanelEmpty>After the first {unit}</PanelEmpty>
      ) : isTable ? (
        <PlotTable
          heads={[capital(unit), ...others.map(nameOf), labelOf(view.kind, panel.value)]}
          rows={chosen.toReversed().map((line, index) => ({
            key: line.item.key,
            name: nameOfItem(line.item),
            cells: [
              ...others.map(({ field }) => write(field)(line.item.data[field])),
              write(panel.value)(line.value),
            ],
            mark: index === 0 && !isFiltered ? "best" : null,
          }))}
          height={HEIGHT}
          onOpen={view.onOpen}
        />
      ) : (
        <ParallelChart
          height={HEIGHT}
          found={found}
          chosen={chosen}
          brushes={brushes}
          onBrush={(field, brush) => setBrushes((before) => changed(before, field, brush))}
          onOpen={view.onOpen}
          nameOf={nameOf}
          write={write}
          label={`${count(chosen.length)} of ${count(found.lines.length)} ${units} through ${found.axes.map(nameOf).join(", ")}.`}
          tip={(line) => (
            <>
              <span className="font-medium">{nameOfItem(line.item)}</span>{" "}
              <span className="text-text-2">
                {within(labelOf(view.kind, panel.value))} {write(panel.value)(line.value)}
              </span>
            </>
          )}
        />
      )}
      {!isEmpty && (
        <p className="mt-2 flex flex-wrap items-center gap-x-3 text-text-2 text-xs" role="status">
          <span>
            {count(chosen.length)} of {count(found.lines.length)} {units} · the stronger the line, the better
            ({within(labelOf(view.kind, panel.value))}, {panel.goal === "min" ? "low" : "high"} is good)
          </span>
          {found.left > 0 && <span>{counted(found.left, unit, units)} without it not shown</span>}
          {isFiltered && (
            <button
              type="button"
              className="text-primary hover:underline max-md:min-h-11"
              onClick={() => {
                setBrushes({});
                setShare(1);
              }}
            >
              Show all
            </button>
          )}
        </p>
      )}
    </PanelFrame>
  );
}

function changed(before: Brushes, field: string, brush: readonly [number, number] | null): Brushes {
  const { [field]: _, ...rest } = before;
  return brush === null ? rest : { ...rest, [field]: brush };
}
