import { memo } from "react";
import type { Item } from "@/api/types";
import { DuplicateMark } from "@/components/run/DuplicateMark";
import { FieldValue, isNumeric } from "@/components/run/FieldValue";
import type { TableColumn } from "@/components/run/results/columns";
import { isEmpty, type ResultRowProps } from "@/components/run/results/ResultRow";
import { RowFrame } from "@/components/run/results/RowFrame";
import { VerdictMark } from "@/components/run/VerdictMark";
import { cn } from "@/lib/cn";
import { count, duration } from "@/lib/format";

const NAMES = 3;
/** More numbers with their names do not fit. */
const NUMBERS = 2;

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
  const tooMany = rest.filter((column) => isNumeric(column.format)).slice(NUMBERS);
  const said = rest.filter((column) => !tooMany.includes(column)).slice(0, NAMES);
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
          said.map((column, place) => (
            <Value key={column.field} item={item} column={column} isFirst={place === 0} />
          ))
        )}
        {item.state === "failed" && <span className="shrink-0">{duration(item.seconds)}</span>}
      </div>
    </RowFrame>
  );
});

/** A value with its name before it, which gives way first; a text that leads the line needs none, nor does a check. */
function Value({ item, column, isFirst }: { item: Item; column: TableColumn; isFirst: boolean }) {
  const isNumber = isNumeric(column.format);
  const isNamed = isNumber || (column.format === "text" && !isFirst);
  return (
    <span className={cn("flex gap-1 last:ml-auto", isNumber ? "shrink-0" : "min-w-0")}>
      {isNamed && <span className="min-w-0 max-w-28 shrink-[9] truncate text-text-3">{column.label}</span>}
      <span className={isNumber ? "shrink-0" : "min-w-0 truncate"}>
        <FieldValue value={column.read(item)} format={column.format} />
      </span>
    </span>
  );
}
