import { Star } from "lucide-react";
import { SideScroll } from "@/components/base/SideScroll";
import { isChosen, type PanelView } from "@/components/panels/view";
import type { Condition } from "@/lib/analysis/arrange";
import { cellKey, type Heatmap } from "@/lib/analysis/heatmap";
import { FEW_ITEMS, halfWidthPoints, NO_SHARE, type Share, shareOf } from "@/lib/analysis/share";
import { cn } from "@/lib/cn";
import { count, percent } from "@/lib/format";

interface HeatmapTableProps {
  map: Heatmap;
  rowLabel: string;
  columnLabel: string;
  valueLabel: string;
  units: string;
  fields: { rows: string; columns: string };
  view: PanelView;
  onChoose: (conditions: readonly Condition[]) => void;
}

/** A real table, so that a screen reader can walk it cell by cell. */
export function HeatmapTable(props: HeatmapTableProps) {
  const { map, rowLabel, columnLabel, fields } = props;
  const shares = (row: string) =>
    map.columns.map((column) => map.cells.get(cellKey(row, column)) ?? NO_SHARE);
  return (
    <SideScroll className="isolate pb-1">
      <table className="w-full border-separate border-spacing-0.5 text-sm">
        <thead>
          <tr className="text-left text-text-2 text-xs">
            <th
              scope="col"
              className="sticky left-0 z-10 whitespace-nowrap bg-card px-1 py-1 font-normal text-text-3"
            >
              {rowLabel} × {columnLabel}
            </th>
            {map.columns.map((column) => (
              <th key={column} scope="col" className="max-w-40 truncate px-2 py-1 font-medium" title={column}>
                {column}
              </th>
            ))}
            <th scope="col" className="px-2 py-1 font-medium">
              All
            </th>
          </tr>
        </thead>
        <tbody>
          {map.rows.map((row) => (
            <tr key={row}>
              <RowHead name={row} isBest={map.best.has(row)} />
              {shares(row).map((share, index) => {
                const column = map.columns[index] ?? "";
                const conditions = [
                  { field: fields.rows, value: row },
                  { field: fields.columns, value: column },
                ];
                return (
                  <HeatCell
                    key={column}
                    {...props}
                    share={share}
                    name={`${row} × ${column}`}
                    conditions={conditions}
                  />
                );
              })}
              <HeatCell
                {...props}
                share={map.rowTotals.get(row) ?? NO_SHARE}
                name={row}
                conditions={[{ field: fields.rows, value: row }]}
                isTotal
              />
            </tr>
          ))}
          <tr>
            <RowHead name="All" isBest={false} />
            {map.columns.map((column) => (
              <HeatCell
                key={column}
                {...props}
                share={map.columnTotals.get(column) ?? NO_SHARE}
                name={column}
                conditions={[{ field: fields.columns, value: column }]}
                isTotal
              />
            ))}
            <HeatCell {...props} share={map.total} name="All" conditions={[]} isTotal />
          </tr>
        </tbody>
      </table>
    </SideScroll>
  );
}

function RowHead({ name, isBest }: { name: string; isBest: boolean }) {
  return (
    <th scope="row" className="sticky left-0 z-10 max-w-44 bg-card px-1 text-left font-medium" title={name}>
      <span className="flex items-center gap-1.5">
        <span className="truncate">{name}</span>
        {isBest && (
          <span className="inline-flex shrink-0 items-center gap-0.5 text-pass text-xs">
            <Star aria-hidden size={12} className="fill-current" />
            best
          </span>
        )}
      </span>
    </th>
  );
}

interface HeatCellProps extends HeatmapTableProps {
  share: Share;
  name: string;
  conditions: readonly Condition[];
  isTotal?: boolean;
}

function HeatCell({
  share,
  name,
  conditions,
  isTotal = false,
  units,
  valueLabel,
  view,
  onChoose,
}: HeatCellProps) {
  const value = shareOf(share);
  if (value === null) return <td className="rounded-sm bg-surface px-2 py-1.5 text-text-3 text-xs">–</td>;
  const half = halfWidthPoints(share);
  const errors = share.errors > 0 ? `, ${count(share.errors)} in error` : "";
  const shown = `${percent(value)} ${share.hits}/${share.count} ±${half}${share.errors > 0 ? ` · ${share.errors} !` : ""}`;
  const spoken = `${name}: ${percent(value)} ${valueLabel}, ${share.hits} of ${share.count} ${units}, ± ${half} points${errors}`;
  return (
    <td className="p-0">
      <button
        type="button"
        aria-label={`${shown}. ${spoken}`}
        title={spoken}
        aria-pressed={conditions.length > 0 && isChosen(view, conditions)}
        onClick={() => onChoose(conditions)}
        style={isTotal ? undefined : { backgroundColor: heat(value, share.count) }}
        className={cn(
          "block min-h-11 w-full min-w-24 rounded-sm px-2 py-1 text-left aria-pressed:outline-2 aria-pressed:outline-focus aria-pressed:-outline-offset-2",
          isTotal ? "hover:bg-hover" : "text-heat-ink hover:brightness-95",
        )}
      >
        <span className="block font-semibold">{percent(value)}</span>
        <span className="block whitespace-nowrap text-xs opacity-80">
          {share.hits}/{share.count} ±{half}
          {share.errors > 0 && <ErrorMark errors={share.errors} />}
        </span>
      </button>
    </td>
  );
}

function ErrorMark({ errors }: { errors: number }) {
  return <span className="font-medium"> · {errors} !</span>;
}

/** One blue ramp: darker is more; paler while few items stand behind the value. */
export function heat(value: number, items: number): string {
  const certainty = 0.35 + 0.65 * Math.min(1, items / FEW_ITEMS);
  return `color-mix(in oklab, var(--heat-4) ${Math.round(100 * value * certainty)}%, var(--heat-0))`;
}
