import { useMemo, useState } from "react";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { isChosen, labelOf, type PanelProps, type PanelView, toggled } from "@/components/panels/view";
import { type Count, counts } from "@/lib/analysis/counts";
import { count, percent } from "@/lib/format";
import { within } from "@/lib/status";

const SHORT = 8;

/** A bar per value of a field: how many items have it. A click shows them. */
export function CountsPanel({ panel, view }: PanelProps<"Counts">) {
  const [by, setBy] = useState(panel.by[0] ?? "");
  const [isWhole, setWhole] = useState(false);
  const bars = useMemo(() => counts(view.items, by, panel.value), [view.items, by, panel.value]);
  const shown = isWhole ? bars : bars.slice(0, SHORT);
  const most = bars[0]?.count ?? 1;
  return (
    <PanelFrame
      title={panel.title}
      note={panel.value === null ? undefined : `dark: ${within(labelOf(view.kind, panel.value))}`}
      actions={
        panel.by.length > 1 && (
          <PanelSelect
            label="Count by"
            value={by}
            options={panel.by.map((field) => ({ value: field, label: labelOf(view.kind, field) }))}
            onChange={setBy}
          />
        )
      }
    >
      {bars.length === 0 ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <ul className="-mx-2">
          {shown.map((bar) => (
            <li key={bar.name}>
              <CountButton bar={bar} by={by} most={most} isSplit={panel.value !== null} view={view} />
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

interface CountButtonProps {
  bar: Count;
  by: string;
  most: number;
  isSplit: boolean;
  view: PanelView;
}

function CountButton({ bar, by, most, isSplit, view }: CountButtonProps) {
  const conditions = [{ field: by, value: bar.name }];
  const spoken = isSplit
    ? `${bar.name} ${count(bar.hits)} of ${count(bar.count)}, ${percent(bar.hits / bar.count, 0)}`
    : `${bar.name} ${count(bar.count)}`;
  return (
    <button
      type="button"
      title="Show these"
      aria-label={`${spoken}. Show these`}
      aria-pressed={isChosen(view, conditions)}
      onClick={() => view.onFilter(toggled(view, conditions))}
      className="grid w-full grid-cols-[minmax(0,2fr)_minmax(3rem,3fr)_4.5rem] items-center gap-3 rounded-md px-2 py-1 text-left text-sm hover:bg-hover aria-pressed:bg-running-soft max-md:min-h-11"
    >
      <span className="truncate">{bar.name}</span>
      <span className="h-2 overflow-hidden rounded-full bg-track">
        <span
          className="flex h-full overflow-hidden rounded-full bg-running/35"
          style={{ width: `${(bar.count / most) * 100}%` }}
        >
          <span className="h-full bg-running" style={{ width: `${(bar.hits / bar.count) * 100}%` }} />
        </span>
      </span>
      <span className="text-right">
        {isSplit && <span className="text-text-3">{count(bar.hits)} of </span>}
        {count(bar.count)}
      </span>
    </button>
  );
}
