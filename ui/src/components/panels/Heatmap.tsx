import { ArrowLeftRight } from "lucide-react";
import { useMemo, useState } from "react";
import { HeatmapTable } from "@/components/panels/HeatmapTable";
import { PanelAction, PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { labelOf, type PanelProps, toggled } from "@/components/panels/view";
import { heatmap } from "@/lib/analysis/heatmap";
import { FEW_ITEMS } from "@/lib/analysis/share";

/** Rows × columns of a share. A cell says value, counts and interval, and filters the results. */
export function HeatmapPanel({ panel, view }: PanelProps<"Heatmap">) {
  const [isSwapped, setSwapped] = useState(false);
  const [rows, columns] = isSwapped ? [panel.columns, panel.rows] : [panel.rows, panel.columns];
  const groups = view.run.progress.groups;
  const map = useMemo(
    () => heatmap(view.items, { rows, columns, value: panel.value }, Object.keys(groups)),
    [view.items, rows, columns, panel.value, groups],
  );
  return (
    <PanelFrame
      title={panel.title}
      note={`paler below ${FEW_ITEMS} ${view.kind.units} · ± is the 95 % interval`}
      actions={
        <PanelAction label="Swap axes" pressed={isSwapped} onClick={() => setSwapped(!isSwapped)}>
          <ArrowLeftRight aria-hidden size={14} />
          <span className="max-sm:hidden">Swap axes</span>
        </PanelAction>
      }
    >
      {map.total.count === 0 ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <HeatmapTable
          map={map}
          rowLabel={labelOf(view.kind, rows)}
          columnLabel={labelOf(view.kind, columns)}
          valueLabel={labelOf(view.kind, panel.value)}
          units={view.kind.units}
          fields={{ rows, columns }}
          view={view}
          onChoose={(conditions) => view.onFilter(toggled(view, conditions))}
        />
      )}
    </PanelFrame>
  );
}
