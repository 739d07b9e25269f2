import { useMemo } from "react";
import { BarRow } from "@/components/panels/BarRow";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import type { PanelProps } from "@/components/panels/view";
import { importances } from "@/lib/analysis/importances";
import { percent } from "@/lib/format";

/** A bar per param: how much of the score it explains, the highest first. */
export function ImportancesPanel({ panel, view }: PanelProps<"Importances">) {
  const bars = useMemo(() => importances(view.run.metrics, panel.prefix), [view.run.metrics, panel.prefix]);
  return (
    <PanelFrame title={panel.title} note="share of the differences that each explains">
      {bars.length === 0 ? (
        <PanelEmpty>After some {view.kind.units}, when their differences tell something</PanelEmpty>
      ) : (
        <ul className="space-y-1">
          {bars.map(({ name, share }) => (
            <BarRow
              key={name}
              name={view.kind.metrics.find((one) => one.name === panel.prefix + name)?.label ?? name}
              share={share}
              text={percent(share, 0)}
            />
          ))}
        </ul>
      )}
    </PanelFrame>
  );
}
