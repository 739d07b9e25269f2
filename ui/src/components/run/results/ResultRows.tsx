import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import type { Item } from "@/api/types";
import { layoutOf, type TableColumn } from "@/components/run/results/columns";
import { ResultCard } from "@/components/run/results/ResultCard";
import { ResultRow } from "@/components/run/results/ResultRow";
import { ResultsHead } from "@/components/run/results/ResultsHead";
import type { Sort } from "@/lib/analysis/arrange";
import { type Numbering, numberOfRow } from "@/lib/analysis/numbering";
import { cn } from "@/lib/cn";

const ROW_PX = 36;
const CARD_PX = 84;

export interface ResultRowsProps {
  scroller: RefObject<HTMLDivElement | null>;
  rows: readonly Item[];
  numbering: Numbering;
  columns: readonly TableColumn[];
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
  open: string | null;
  onOpen: (key: string) => void;
  onReading: (reading: { isScrolled: boolean; isRowFocused: boolean }) => void;
  isPhone: boolean;
  empty: string;
  className?: string;
}

/** The window on the rows: however many there are, only those in view are in the document. */
export function ResultRows(props: ResultRowsProps) {
  const { scroller, rows, numbering, columns, isPhone, empty, open, onOpen, className } = props;
  const size = isPhone ? CARD_PX : ROW_PX;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    overscan: 8,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  const fresh = useFresh(rows);
  const { cursor, onKeyDown, onFocus, onBlur, onScroll } = useCursor(props, size, (index) =>
    virtual.scrollToIndex(index, { align: "auto" }),
  );
  const { tracks, minWidth } = layoutOf(columns);
  const Row = isPhone ? ResultCard : ResultRow;
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label="Results"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length + 1}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
      onBlur={onBlur}
      className={cn("overflow-auto overscroll-contain", className)}
    >
      {!isPhone && (
        <ResultsHead
          columns={columns}
          tracks={tracks}
          minWidth={minWidth}
          sort={props.sort}
          onSort={props.onSort}
        />
      )}
      {rows.length === 0 && (
        <div role="row">
          <div role="gridcell" className="px-4 py-12 text-center text-sm text-text-3">
            {empty}
          </div>
        </div>
      )}
      <div
        role="rowgroup"
        className="relative"
        style={{ height: virtual.getTotalSize(), minWidth: isPhone ? 0 : minWidth }}
      >
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = rows[index];
          if (item === undefined) return null;
          return (
            <Row
              key={item.key}
              item={item}
              number={numberOfRow(item, numbering)}
              index={index}
              top={start}
              height={size}
              columns={columns}
              tracks={tracks}
              isFresh={item.seq > fresh}
              isOpen={item.key === open}
              isCursor={index === cursor}
              onOpen={onOpen}
            />
          );
        })}
      </div>
    </div>
  );
}

/** The newest seq of the last look; rows beyond it have just come. Nothing is fresh on the first look. */
function useFresh(rows: readonly Item[]): number {
  const seen = useRef(Number.POSITIVE_INFINITY);
  const before = seen.current;
  useEffect(() => {
    const newest = rows[0]?.seq ?? 0;
    seen.current = Number.isFinite(seen.current) ? Math.max(seen.current, newest) : newest;
  }, [rows]);
  return before;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 10,
  PageUp: -10,
};

/** Roving focus: one row is in the tab order, arrows and j/k move it, ↵ opens it. */
function useCursor(
  { rows, scroller, onOpen, onReading }: ResultRowsProps,
  rowPx: number,
  reveal: (index: number) => void,
) {
  const [cursor, setCursor] = useState(0);
  const reading = useRef({ isScrolled: false, isRowFocused: false });
  const tell = (changes: Partial<typeof reading.current>) => {
    const next = { ...reading.current, ...changes };
    const isSame =
      next.isScrolled === reading.current.isScrolled && next.isRowFocused === reading.current.isRowFocused;
    reading.current = next;
    if (!isSame) onReading(next);
  };
  const go = (index: number) => {
    const next = Math.min(rows.length - 1, Math.max(0, index));
    setCursor(next);
    reveal(next);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true }),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.target as HTMLElement).dataset.index ?? Number.NaN);
    if (Number.isNaN(at) || event.metaKey || event.ctrlKey) return;
    const step = STEPS[event.key];
    const key = rows[at]?.key;
    if (step !== undefined) go(at + step);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if ((event.key === "Enter" || event.key === " ") && key !== undefined) onOpen(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return {
    cursor: Math.min(cursor, Math.max(0, rows.length - 1)),
    onKeyDown,
    onFocus: (event: React.FocusEvent) => {
      const at = Number((event.target as HTMLElement).dataset.index ?? Number.NaN);
      if (Number.isNaN(at)) return;
      setCursor(at);
      if (event.target.matches(":focus-visible")) tell({ isRowFocused: true });
    },
    onBlur: () => tell({ isRowFocused: false }),
    onScroll: () => tell({ isScrolled: (scroller.current?.scrollTop ?? 0) > rowPx }),
  };
}
