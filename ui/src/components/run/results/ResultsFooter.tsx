import { count } from "@/lib/format";

export interface ResultsFooterProps {
  shown: number;
  fitting: number;
  all: number;
  isWhole: boolean;
  isFiltered: boolean;
  onAll: () => void;
  onClear: () => void;
}

/** How much of everything is on the table. */
export function ResultsFooter({
  shown,
  fitting,
  all,
  isWhole,
  isFiltered,
  onAll,
  onClear,
}: ResultsFooterProps) {
  return (
    <footer className="flex min-h-9 shrink-0 flex-wrap items-center gap-x-4 border-line border-t px-4 py-1 text-text-3 text-xs">
      <span>
        Showing {count(shown)} of {count(isFiltered ? fitting : all)}
        {isFiltered && ` that match, ${count(all)} in all`}
      </span>
      {shown < fitting && (
        <button type="button" onClick={onAll} className="text-primary hover:underline max-md:min-h-11">
          Show all {count(isFiltered ? fitting : all)}
        </button>
      )}
      {isFiltered && (
        <button type="button" onClick={onClear} className="text-primary hover:underline max-md:min-h-11">
          Clear filters
        </button>
      )}
      {!isWhole && <span className="ml-auto">Older results are loading…</span>}
    </footer>
  );
}
