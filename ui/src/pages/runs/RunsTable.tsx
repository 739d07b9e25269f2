import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useKinds } from "@/components/kinds";
import { counted } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { COLUMNS, RunsRow } from "@/pages/runs/RunsRow";
import type { RunList } from "@/pages/runs/useRunList";
import type { Selection } from "@/pages/runs/useSelection";

const AHEAD = 20;

/** The list, as a window onto any number of rows. */
export function RunsTable({ list, selection }: { list: RunList; selection: Selection }) {
  const { kindOf } = useKinds();
  const { runs } = list;
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const isPhone = matchMedia("(max-width: 767px)").matches;
  const rows = useWindowVirtualizer({
    count: runs.length,
    estimateSize: () => (isPhone ? 64 : 48),
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (index) => runs[index]?.id ?? index,
  });
  useLayoutEffect(() => setMargin(body.current?.offsetTop ?? 0), []);

  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasMore, fetchMore } = list;
  useEffect(() => {
    if (hasMore && last >= runs.length - AHEAD) fetchMore();
  }, [hasMore, last, runs.length, fetchMore]);

  const showWaiting = () => {
    list.showWaiting();
    window.scrollTo({ top: 0 });
  };
  useShortcuts("Runs", [
    { keys: "j", label: "Next run", run: () => move(body.current, 1) },
    { keys: "k", label: "Run before", run: () => move(body.current, -1) },
    { keys: ".", label: "Show new runs", run: showWaiting },
    { keys: " ", label: "Select", run: () => toggleFocused(selection) },
    { keys: "Escape", label: "Clear the selection", run: selection.clear },
  ]);

  return (
    <div role="table" aria-label="Runs" aria-rowcount={list.total ?? -1}>
      <div role="rowgroup" className="sticky top-(--bar) z-20 bg-card max-md:hidden">
        <div role="row" className={`${COLUMNS} h-9 border-line border-b font-medium text-text-3 text-xs`}>
          <span role="columnheader">
            <span className="sr-only">Selected</span>
          </span>
          <span role="columnheader">Status</span>
          <span role="columnheader">Name</span>
          <span role="columnheader" className="max-lg:hidden">
            Kind
          </span>
          <span role="columnheader">Progress</span>
          <span role="columnheader" className="text-right max-lg:hidden">
            Left
          </span>
          <span role="columnheader" className="text-right">
            Elapsed
          </span>
          <span role="columnheader" className="pl-4 max-lg:hidden">
            Result
          </span>
          <span role="columnheader" className="text-right max-lg:hidden">
            By · age
          </span>
        </div>
      </div>
      {list.waiting > 0 && <NewRuns waiting={list.waiting} onShow={showWaiting} />}
      <div ref={body} role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const run = runs[item.index];
          if (!run) return null;
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 1}
              className="absolute inset-x-0 top-0"
              style={{ height: item.size, transform: `translateY(${item.start - margin}px)` }}
            >
              <RunsRow
                run={run}
                kind={kindOf(run.kind)}
                isSelected={selection.ids.has(run.id)}
                onSelect={selection.toggle}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Lies over the rows instead of pushing them: whoever reads keeps the line. */
function NewRuns({ waiting, onShow }: { waiting: number; onShow: () => void }) {
  return (
    <div className="sticky top-[calc(var(--bar)+2.25rem)] z-20 h-0 max-md:top-(--bar)">
      <button
        type="button"
        onClick={onShow}
        className="mx-auto flex h-8 translate-y-2 items-center gap-1.5 rounded-full bg-primary px-4 font-medium text-on-primary text-xs shadow-pop hover:bg-primary-hover max-md:h-11"
      >
        <ArrowUp aria-hidden size={14} />
        {counted(waiting, "new run", "new runs")}
      </button>
    </div>
  );
}

/** Move the focus by rows; a live update never takes it away. */
function move(body: HTMLElement | null, step: number): void {
  const links = [...(body?.querySelectorAll<HTMLElement>("[data-row]") ?? [])].sort(
    (one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top,
  );
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next =
    links[at === -1 ? links.findIndex((link) => link.getBoundingClientRect().top > 100) : at + step];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function toggleFocused(selection: Selection): void {
  const row = document.activeElement?.closest("[role=row]");
  row?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
  if (!row) selection.clear();
}
