import { ArrowDown, ArrowUp } from "lucide-react";
import { isNumeric } from "@/components/run/FieldValue";
import type { TableColumn } from "@/components/run/results/columns";
import { BUILT_IN, type Sort } from "@/lib/analysis/arrange";
import { cn } from "@/lib/cn";

export interface ResultsHeadProps {
  columns: readonly TableColumn[];
  tracks: string;
  minWidth: string;
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
}

/** Headings that sort: largest first, smallest first, newest first again. */
export function ResultsHead({ columns, tracks, minWidth, sort, onSort }: ResultsHeadProps) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 bg-card" style={{ minWidth }}>
      <div
        role="row"
        aria-rowindex={1}
        className="grid h-9 border-line border-b px-4 text-xs"
        style={{ gridTemplateColumns: tracks }}
      >
        <Heading field={BUILT_IN.number} label="#" sort={sort} onSort={onSort} />
        {columns.map((column) => (
          <Heading
            key={column.field}
            field={column.field}
            label={column.label}
            isRight={isNumeric(column.format)}
            sort={sort}
            onSort={onSort}
          />
        ))}
      </div>
    </div>
  );
}

interface HeadingProps {
  field: string;
  label: string;
  isRight?: boolean;
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
}

function Heading({ field, label, isRight = false, sort, onSort }: HeadingProps) {
  const mine = sort?.field === field ? sort : null;
  const Arrow = mine?.descending ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={mine ? (mine.descending ? "descending" : "ascending") : "none"}
      className="min-w-0"
    >
      <button
        type="button"
        title={label}
        onClick={() => onSort(nextSort(field, mine))}
        className={cn(
          "flex h-full w-full min-w-0 items-center gap-1 pr-3 font-medium text-text-2 hover:text-text",
          isRight && "justify-end pr-5",
        )}
      >
        <span className="truncate">{label}</span>
        {mine && <Arrow aria-hidden size={12} className="shrink-0" />}
      </button>
    </div>
  );
}

/** The number column begins with the oldest: the newest are first anyway. */
export function nextSort(field: string, mine: Sort | null): Sort | null {
  const isFirstDown = field !== BUILT_IN.number;
  if (mine === null) return { field, descending: isFirstDown };
  return mine.descending === isFirstDown && field !== BUILT_IN.number
    ? { field, descending: !isFirstDown }
    : null;
}
