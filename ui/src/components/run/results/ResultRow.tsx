import { memo } from "react";
import type { Item } from "@/api/types";
import { DuplicateMark } from "@/components/run/DuplicateMark";
import { FieldValue, isNumeric } from "@/components/run/FieldValue";
import type { TableColumn } from "@/components/run/results/columns";
import { RowFrame } from "@/components/run/results/RowFrame";
import { VerdictMark } from "@/components/run/VerdictMark";
import { cn } from "@/lib/cn";
import { count } from "@/lib/format";

export interface ResultRowProps {
  item: Item;
  number: number;
  index: number;
  top: number;
  height: number;
  columns: readonly TableColumn[];
  tracks: string;
  isFresh: boolean;
  isOpen: boolean;
  isCursor: boolean;
  onOpen: (key: string) => void;
}

/** One result. An item in error says so where its values would be. */
export const ResultRow = memo(function ResultRow(props: ResultRowProps) {
  const { item, number, columns, tracks } = props;
  const [errorAt, errorSpan] = item.state === "failed" ? emptyCells(item, columns) : [-1, 0];
  return (
    <RowFrame
      row={props}
      className="grid items-center text-sm hover:bg-hover focus-visible:-outline-offset-2"
      style={{ gridTemplateColumns: tracks }}
    >
      <span role="gridcell" className="flex items-center gap-1.5 text-text-3 text-xs">
        {count(number)}
        <DuplicateMark item={item} />
        <VerdictMark item={item} />
        {item.state === "failed" && (
          <span className="font-bold text-fail" title={item.error ?? "In error"}>
            !<span className="sr-only"> in error</span>
          </span>
        )}
      </span>
      {columns.map((column, place) =>
        place === errorAt && item.error !== null ? (
          <span
            key={column.field}
            role="gridcell"
            aria-colspan={errorSpan}
            title={item.error}
            style={{ gridColumn: `span ${errorSpan}` }}
            className="truncate pr-3 text-fail"
          >
            {item.error}
          </span>
        ) : item.error !== null && place > errorAt && place < errorAt + errorSpan ? null : (
          <Cell key={column.field} item={item} column={column} />
        ),
      )}
    </RowFrame>
  );
});

interface CellProps {
  item: Item;
  column: TableColumn;
}

/** Columns that an error takes at least: an error of which three words can be read tells little. */
const ERROR_COLUMNS = 3;

/** The first column without a value, and how many of them stand side by side: room for the error. */
function emptyCells(item: Item, columns: readonly TableColumn[]): [first: number, span: number] {
  const first = columns.findIndex((column) => isEmpty(column.read(item)));
  if (first < 0) return [-1, 0];
  const next = columns.findIndex((column, place) => place > first && !isEmpty(column.read(item)));
  const span = (next < 0 ? columns.length : next) - first;
  return [first, Math.max(span, Math.min(ERROR_COLUMNS, columns.length - first))];
}

function Cell({ item, column }: CellProps) {
  const value = column.read(item);
  const isText = column.format === "text" || column.format === "json";
  return (
    <span
      role="gridcell"
      title={isText && typeof value === "string" ? value.slice(0, 300) : undefined}
      className={cn(
        "truncate pr-3",
        isNumeric(column.format) && "pr-5 text-right",
        isEmpty(value) && "text-text-3",
      )}
    >
      <FieldValue
        value={isText && typeof value === "string" ? value.slice(0, 200) : value}
        format={column.format}
      />
    </span>
  );
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "";
}
