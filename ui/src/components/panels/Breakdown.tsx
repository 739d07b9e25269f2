import { useMemo, useState } from "react";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { isChosen, type PanelProps, type PanelView, toggled } from "@/components/panels/view";
import { type Bar, breakdown } from "@/lib/analysis/breakdown";
import { count, percent } from "@/lib/format";

const SHORT = 8;

/** One bar per value of a field, the hardest first; a click shows its misses. */
export function BreakdownPanel({ panel, view }: PanelProps<"Breakdown">) {
  const [isWhole, setWhole] = useState(false);
  const bars = useMemo(
    () => breakdown(view.items, panel.by, panel.value, panel.hardest_first),
    [view.items, panel.by, panel.value, panel.hardest_first],
  );
  const shown = isWhole ? bars : bars.slice(0, SHORT);
  return (
    <PanelFrame title={panel.title} note={panel.hardest_first ? "hardest first" : "easiest first"}>
      {bars.length === 0 ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <ul className="-mx-2">
          {shown.map((bar) => (
            <li key={bar.name}>
              <BarButton bar={bar} by={panel.by} value={panel.value} view={view} />
            </li>
          ))}
        </ul>
      )}
      {bars.length > SHORT && (
        <button
          type="button"
          onClick={() => setWhole(!isWhole)}
          className="mt-2 h-8 text-primary text-sm hover:underline max-md:h-11"
        >
          {isWhole ? `Show ${SHORT}` : `Show all ${count(bars.length)}`}
        </button>
      )}
    </PanelFrame>
  );
}

function BarButton({ bar, by, value, view }: { bar: Bar; by: string; value: string; view: PanelView }) {
  const misses = bar.count - bar.hits;
  const conditions = [
    { field: by, value: bar.name },
    ...(misses > 0 ? [{ field: value, value: "false" }] : []),
  ];
  const action = misses > 0 ? `Show ${count(misses)} misses` : "Show all";
  return (
    <button
      type="button"
      title={action}
      aria-label={`${bar.name}: ${percent(bar.share)}, ${bar.hits} of ${bar.count}. ${action}`}
      aria-pressed={isChosen(view, conditions)}
      onClick={() => view.onFilter(toggled(view, conditions))}
      className="grid w-full grid-cols-[minmax(0,2fr)_minmax(3rem,2fr)_3.5rem_3.25rem] items-center gap-3 rounded-md px-2 py-1 text-left text-sm hover:bg-hover aria-pressed:bg-running-soft max-md:min-h-11"
    >
      <span className="truncate">{bar.name}</span>
      <span className="h-2 overflow-hidden rounded-full bg-track">
        <span className="block h-full rounded-full bg-running" style={{ width: `${bar.share * 100}%` }} />
      </span>
      <span className="text-right">{percent(bar.share, 0)}</span>
      <span className="text-right text-text-3 text-xs">
        {bar.hits}/{bar.count}
      </span>
    </button>
  );
}
