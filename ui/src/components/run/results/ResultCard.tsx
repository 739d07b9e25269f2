import { memo } from "react";
import { DuplicateMark } from "@/components/run/DuplicateMark";
import { FieldValue } from "@/components/run/FieldValue";
import type { TableColumn } from "@/components/run/results/columns";
import { isEmpty, type ResultRowProps } from "@/components/run/results/ResultRow";
import { RowFrame } from "@/components/run/results/RowFrame";
import { VerdictMark } from "@/components/run/VerdictMark";
import { count, duration } from "@/lib/format";

const NAMES = 3;

/** A result on a phone: what it was, how it went, how long it took. */
export const ResultCard = memo(function ResultCard(props: ResultRowProps) {
  const { item, number, columns } = props;
  const names = columns.filter((column) => column.format === "text" && !isEmpty(column.read(item)));
  const title =
    item.label ??
    names
      .slice(0, NAMES)
      .map((column) => String(column.read(item)))
      .join(" × ");
  // What the title says already is not said again.
  const isSaid = (column: TableColumn) =>
    item.label ? item.label.includes(String(column.read(item))) : names.slice(0, NAMES).includes(column);
  const rest = columns.filter((column) => !isEmpty(column.read(item)) && !isSaid(column));
  return (
    <RowFrame row={props} className="flex flex-col justify-center gap-1">
      <div role="gridcell" className="flex min-w-0 items-baseline gap-2 text-sm">
        <span className="min-w-0 flex-1 truncate font-medium">{title || item.key}</span>
        <span className="inline-flex shrink-0 items-center gap-1.5 self-center text-text-3 text-xs">
          <DuplicateMark item={item} />
          <VerdictMark item={item} />#{count(number)}
        </span>
      </div>
      <div
        role="gridcell"
        className="flex min-w-0 items-center gap-3 overflow-hidden whitespace-nowrap text-sm text-text-2"
      >
        {item.state === "failed" ? (
          <span className="min-w-0 flex-1 truncate text-fail">! {item.error ?? "In error"}</span>
        ) : (
          rest.slice(0, NAMES).map((column) => (
            <span key={column.field} className="min-w-0 truncate last:ml-auto">
              <FieldValue value={column.read(item)} format={column.format} />
            </span>
          ))
        )}
        {item.state === "failed" && <span className="shrink-0">{duration(item.seconds)}</span>}
      </div>
    </RowFrame>
  );
});
