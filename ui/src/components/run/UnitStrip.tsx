import { type KeyboardEvent, memo, useRef } from "react";
import { type Cell, type CellState, MAX_CELLS } from "@/lib/analysis/strip";
import { cn } from "@/lib/cn";
import { count } from "@/lib/format";

export interface UnitStripProps {
  cells: readonly Cell[];
  unit: string;
  units: string;
  onOpen: (key: string) => void;
}

/** Fill, hatch, ring and dot: readable without colour. */
const LOOKS = {
  ok: "bg-completed",
  error: "bg-failed hatch [--hatch:var(--card)]",
  running: "border-2 border-running",
  waiting: "bg-track scale-50",
} satisfies Record<CellState, string>;

const WORDS = { ok: "ok", error: "in error", running: "running", waiting: "to do" } satisfies Record<
  CellState,
  string
>;

/** One cell per item, or per range of items; a click opens the row, arrow keys move inside. */
export const UnitStrip = memo(function UnitStrip({ cells, unit, units, onOpen }: UnitStripProps) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
    next?.focus();
  };
  const isGrouped = cells.some((cell) => cell.to > cell.from);
  return (
    <section aria-label={`All ${units}`}>
      <p className="mb-1.5 text-text-3 text-xs">
        {isGrouped
          ? `${count(cells.at(-1)?.to ?? 0)} ${units} in ${MAX_CELLS} cells`
          : `One cell per ${unit}`}{" "}
        in the order of finishing · hatched: error
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys of the buttons inside */}
      <div ref={list} onKeyDown={move} className="flex flex-wrap gap-[3px]">
        {cells.map((cell, index) => (
          <StripCell key={cell.from} cell={cell} isFirst={index === 0} onOpen={onOpen} />
        ))}
      </div>
    </section>
  );
});

interface StripCellProps {
  cell: Cell;
  isFirst: boolean;
  onOpen: (key: string) => void;
}

const StripCell = memo(
  function StripCell({ cell, isFirst, onOpen }: StripCellProps) {
    const place = cell.from === cell.to ? `${cell.from}` : `${cell.from} to ${cell.to}`;
    const look = cn("size-2.5 rounded-[2px]", LOOKS[cell.state]);
    if (cell.key === null) return <span className={look} />;
    return (
      <button
        type="button"
        tabIndex={isFirst ? 0 : -1}
        aria-label={`${place}: ${WORDS[cell.state]}`}
        title={`${place}: ${cell.errors > 0 ? `${cell.errors} ` : ""}${WORDS[cell.state]}`}
        onClick={() => cell.key !== null && onOpen(cell.key)}
        className={cn(look, "hover:outline-2 hover:outline-focus")}
      />
    );
  },
  (before, after) =>
    before.cell.state === after.cell.state &&
    before.cell.key === after.cell.key &&
    before.cell.errors === after.cell.errors &&
    before.isFirst === after.isFirst &&
    before.onOpen === after.onOpen,
);
