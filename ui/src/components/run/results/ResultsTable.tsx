import { useMemo, useRef, useState } from "react";
import type { Item, Kind, Run } from "@/api/types";
import { isTerminal } from "@/api/types";
import { MoreBeyond } from "@/components/base/SideScroll";
import { columnsOf, rememberedFields, rememberFields } from "@/components/run/results/columns";
import { HeldLine } from "@/components/run/results/HeldLine";
import { ResultRows } from "@/components/run/results/ResultRows";
import { ResultsFooter } from "@/components/run/results/ResultsFooter";
import { ResultsToolbar } from "@/components/run/results/ResultsToolbar";
import { useHeldRows } from "@/components/run/results/useHeldRows";
import type { TableState } from "@/lib/analysis/tableUrl";

export interface ResultsTableProps {
  run: Run;
  kind: Kind;
  /** Finished items, newest first. */
  items: readonly Item[];
  isWhole: boolean;
  isReady: boolean;
  isFrozen: boolean;
  isPhone: boolean;
  state: TableState;
  onState: (changes: Partial<TableState>) => void;
  /** Height of the scrolling part. */
  className?: string;
}

/** Results, newest first. They hold still while somebody reads. */
export function ResultsTable(props: ResultsTableProps) {
  const { run, kind, items, isWhole, isReady, isFrozen, isPhone, state, onState, className } = props;
  const [reading, setReading] = useState({ isScrolled: false, isRowFocused: false });
  const [fields, setFields] = useState(() => rememberedFields(kind));
  const scroller = useRef<HTMLDivElement>(null);
  const all = useMemo(() => columnsOf(kind), [kind]);
  const columns = useMemo(() => all.filter((column) => fields.includes(column.field)), [all, fields]);
  const { sort, conditions, text, limit, open } = state;
  const arrangement = useMemo(() => ({ sort, conditions, text }), [sort, conditions, text]);
  const { rows, fitting, waiting, release } = useHeldRows(items, arrangement, limit, {
    ...reading,
    isRowOpen: open !== null,
    isSorted: sort !== null,
    isFrozen,
  });
  const showNew = () => {
    release();
    scroller.current?.scrollTo({ top: 0 });
    if (scroller.current?.contains(document.activeElement)) (document.activeElement as HTMLElement).blur();
  };
  const title = isTerminal(run.status) ? "Results" : "Live results";
  return (
    <section
      aria-label={title}
      className="isolate flex min-h-0 flex-col rounded-lg border border-line bg-card shadow-card"
    >
      <ResultsToolbar
        title={title}
        kind={kind}
        items={items}
        columns={all}
        fields={fields}
        onFields={(next) => {
          setFields(next);
          rememberFields(kind, next);
        }}
        state={state}
        onState={onState}
      />
      <div className="relative min-h-0 flex-1">
        <HeldLine waiting={waiting} units="results" onShow={showNew} />
        <ResultRows
          scroller={scroller}
          rows={rows}
          numbering={{ items, isWhole, done: run.progress.done }}
          columns={columns}
          sort={sort}
          onSort={(next) => onState({ sort: next })}
          open={open}
          onOpen={(key) => onState({ open: key })}
          onReading={setReading}
          isPhone={isPhone}
          empty={emptyText(kind, run, isReady, items.length)}
          {...(className ? { className } : {})}
        />
        <MoreBeyond box={scroller} version={columns} />
      </div>
      <ResultsFooter
        shown={rows.length}
        fitting={fitting}
        all={isWhole ? items.length : Math.max(items.length, run.progress.done)}
        isWhole={isWhole}
        isFiltered={conditions.length > 0 || text !== ""}
        onAll={() => onState({ limit: 0 })}
        onClear={() => onState({ conditions: [], text: "" })}
      />
    </section>
  );
}

function emptyText(kind: Kind, run: Run, isReady: boolean, items: number): string {
  if (!isReady) return "Loading…";
  if (items > 0) return "No result matches these filters";
  return isTerminal(run.status)
    ? `No ${kind.unit} was finished`
    : `Results appear here, one row per ${kind.unit}`;
}
