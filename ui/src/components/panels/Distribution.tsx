import { useMemo } from "react";
import type { Kind } from "@/api/types";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import type { PanelProps } from "@/components/panels/view";
import { distribution, type Spread } from "@/lib/analysis/distribution";
import { count, counted, formatted } from "@/lib/format";

/** A histogram per group on one axis, with the median and the 95th percentile in numbers. */
export function DistributionPanel({ panel, view }: PanelProps<"Distribution">) {
  const spread = useMemo(
    () => distribution(view.items, panel.value, panel.by),
    [view.items, panel.value, panel.by],
  );
  const write = (value: number) => formatted(value, panel.format);
  return (
    <PanelFrame title={panel.title}>
      {spread === null ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <table className="w-full table-fixed text-sm">
          <thead className="text-left text-text-3 text-xs">
            <tr>
              <th scope="col" className="w-[32%] pb-1 font-normal">
                <span className="sr-only">Group</span>
              </th>
              <th scope="col" className="pb-1 font-normal">
                <span className="flex justify-between">
                  <span>{write(spread.low)}</span>
                  <span>{write(spread.high)}</span>
                </span>
              </th>
              <th scope="col" className="w-16 pb-1 text-right font-normal">
                p50
              </th>
              <th scope="col" className="w-16 pb-1 text-right font-normal">
                p95
              </th>
            </tr>
          </thead>
          <tbody>
            {spread.groups.map((group) => (
              <SpreadRow key={group.name ?? ""} group={group} kind={view.kind} write={write} />
            ))}
          </tbody>
        </table>
      )}
    </PanelFrame>
  );
}

interface SpreadRowProps {
  group: Spread;
  kind: Kind;
  write: (value: number) => string;
}

function SpreadRow({ group, kind, write }: SpreadRowProps) {
  return (
    <tr>
      <th scope="row" className="py-1 pr-2 text-left font-normal" title={group.name ?? undefined}>
        <span className="block truncate">{group.name ?? "All"}</span>
        <span className="block text-text-3 text-xs">{counted(group.count, kind.unit, kind.units)}</span>
      </th>
      <td className="py-1 align-bottom">
        <Histogram group={group} write={write} />
      </td>
      <td className="py-1 text-right align-bottom">{write(group.p50)}</td>
      <td className="py-1 text-right align-bottom">{write(group.p95)}</td>
    </tr>
  );
}

function Histogram({ group, write }: { group: Spread; write: (value: number) => string }) {
  const most = Math.max(1, ...group.bins.map((bin) => bin.count));
  return (
    <div aria-hidden className="flex h-9 items-end gap-px border-line-strong border-b">
      {group.bins.map((bin) => (
        <span
          key={bin.low}
          title={`${write(bin.low)} to ${write(bin.high)}: ${count(bin.count)}`}
          className="min-w-0 flex-1 rounded-t-[1px] bg-running"
          style={{ height: bin.count === 0 ? 0 : `max(2px, ${(bin.count / most) * 100}%)` }}
        />
      ))}
    </div>
  );
}
