import { memo, useState } from "react";
import type { Item } from "@/api/types";
import { DuplicateMark } from "@/components/run/DuplicateMark";
import { FieldValue, isNumeric } from "@/components/run/FieldValue";
import type { TableColumn } from "@/components/run/results/columns";
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
  const { item, number, index, top, height, columns, tracks, isFresh, isOpen, isCursor, onOpen } = props;
  const [fades] = useState(isFresh);
  const errorAt = item.state === "failed" ? columns.findIndex((column) => isEmpty(column.read(item))) : -1;
  return (
    <div
      role="row"
      data-index={index}
      data-key={item.key}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      tabIndex={isCursor ? 0 : -1}
      onClick={() => onOpen(item.key)}
      className={cn(
        "absolute inset-x-0 grid cursor-pointer items-center border-line border-b px-4 text-sm hover:bg-hover focus-visible:-outline-offset-2",
        fades && "animate-fade",
        isOpen && "bg-running-soft",
      )}
      style={{ transform: `translateY(${top}px)`, height, gridTemplateColumns: tracks }}
    >
      <span role="gridcell" className="flex items-center gap-1.5 text-text-3 text-xs">
        {count(number)}
        <DuplicateMark item={item} />
        {item.state === "failed" && (
          <span className="font-bold text-fail" title={item.error ?? "In error"}>
            !<span className="sr-only"> in error</span>
          </span>
        )}
      </span>
      {columns.map((column, place) => (
        <Cell key={column.field} item={item} column={column} error={place === errorAt ? item.error : null} />
      ))}
    </div>
  );
});

interface CellProps {
  item: Item;
  column: TableColumn;
  /** The item's error, for the first cell without a value. */
  error: string | null;
}

function Cell({ item, column, error }: CellProps) {
  const value = column.read(item);
  const isText = column.format === "text" || column.format === "json";
  if (error !== null) {
    return (
      <span role="gridcell" title={error} className="truncate pr-3 text-fail">
        {error}
      </span>
    );
  }
  return (
    <span
      role="gridcell"
      title={isText && typeof value === "string" ? value.slice(0, 300) : undefined}
      className={cn(
        "truncate pr-3",
        isNumeric(column.format) && "text-right",
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
