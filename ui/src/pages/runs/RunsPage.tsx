import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, List, Plus, SearchX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Button } from "@/components/base/Button";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { Skeleton } from "@/components/base/Skeleton";
import { RunningBadge } from "@/components/shell/NavLinks";
import { useDemoRun } from "@/components/shell/useDemoRun";
import { count } from "@/lib/format";
import { BulkBar } from "@/pages/runs/BulkBar";
import { saveCsv } from "@/pages/runs/csv";
import { FilterBar } from "@/pages/runs/FilterBar";
import { type Filters, isFiltered, readFilters, writeFilters } from "@/pages/runs/filters";
import { RunsTable } from "@/pages/runs/RunsTable";
import { useRunList } from "@/pages/runs/useRunList";
import { useSelection } from "@/pages/runs/useSelection";

const ROW = 48;

/** All runs, newest first. */
export function RunsPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const filters = useMemo(() => readFilters(search), [search]);
  const setFilters = (next: Filters) =>
    void navigate({ to: "/runs", search: writeFilters(next), replace: true });
  const isAway = useScrolledAway();
  const selection = useSelection(() => list.runs);
  const list = useRunList(filters, isAway || selection.ids.size > 0);
  const selected = list.runs.filter((run) => selection.ids.has(run.id));

  return (
    <div className="mx-auto max-w-7xl space-y-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 tabIndex={-1} className="font-semibold text-xl tracking-tight">
          Runs
        </h1>
        <RunningBadge />
        {list.total !== null && <span className="text-sm text-text-3">{count(list.total)} in all</span>}
        <div className="ml-auto flex gap-2">
          <Button
            icon={<Download aria-hidden />}
            disabled={list.runs.length === 0}
            onClick={() => saveCsv(list.runs)}
          >
            Export
          </Button>
          <Button
            look="primary"
            className="max-md:hidden"
            icon={<Plus aria-hidden />}
            onClick={() => navigate({ to: "/runs/new" })}
          >
            New run
          </Button>
        </div>
      </header>
      <FilterBar filters={filters} onChange={setFilters} />
      <div className="rounded-lg border border-line bg-card shadow-card">
        {list.error ? (
          <ErrorPanel error={list.error} onRetry={list.refetch} />
        ) : list.isLoading ? (
          <Rows />
        ) : list.runs.length === 0 ? (
          <Nothing filtered={isFiltered(filters)} onClear={() => navigate({ to: "/runs", search: {} })} />
        ) : (
          <RunsTable list={list} selection={selection} />
        )}
      </div>
      {selected.length > 0 && <BulkBar runs={selected} onClear={selection.clear} />}
    </div>
  );
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const { start } = useDemoRun();
  return filtered ? (
    <EmptyState
      icon={<SearchX aria-hidden />}
      title="No run matches these filters"
      actions={<Button onClick={onClear}>Clear filters</Button>}
    />
  ) : (
    <EmptyState
      icon={<List aria-hidden />}
      title="No runs yet"
      actions={
        start && (
          <Button look="primary" onClick={start}>
            Start a demo run
          </Button>
        )
      }
    />
  );
}

function Rows() {
  return (
    <div className="space-y-px p-3">
      {["a", "b", "c", "d", "e", "f"].map((key) => (
        <Skeleton key={key} className="h-11" />
      ))}
    </div>
  );
}

/** More than one row below the top. */
function useScrolledAway(): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => {
    const look = () => setAway(window.scrollY > ROW);
    look();
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  return away;
}
