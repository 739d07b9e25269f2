import type { ComponentType } from "react";
import type { Panel } from "@/api/types";
import { BreakdownPanel } from "@/components/panels/Breakdown";
import { ConfusionPanel } from "@/components/panels/Confusion";
import { CurvePanel } from "@/components/panels/Curve";
import { DistributionPanel } from "@/components/panels/Distribution";
import { HeatmapPanel } from "@/components/panels/Heatmap";
import { MeterPanel } from "@/components/panels/Meter";
import { PanelBoundary } from "@/components/panels/PanelBoundary";
import { StatsPanel } from "@/components/panels/Stats";
import type { PanelProps, PanelView } from "@/components/panels/view";
import { cn } from "@/lib/cn";

interface Entry<T extends Panel["type"]> {
  readonly draw: ComponentType<PanelProps<T>>;
  /** A wide panel takes the whole row. */
  readonly isWide: boolean;
}

/** The vocabulary of panels. A new panel type is a compile error until it is here. */
const PANELS: { readonly [T in Panel["type"]]: Entry<T> } = {
  Stats: { draw: StatsPanel, isWide: true },
  Heatmap: { draw: HeatmapPanel, isWide: true },
  Confusion: { draw: ConfusionPanel, isWide: true },
  Breakdown: { draw: BreakdownPanel, isWide: false },
  Meter: { draw: MeterPanel, isWide: true },
  Curve: { draw: CurvePanel, isWide: false },
  Distribution: { draw: DistributionPanel, isWide: false },
};

/** Panels of a kind, in its order. A type this page does not know is left out. */
export function KindPanels({ view, panels }: { view: PanelView; panels: readonly Panel[] }) {
  if (panels.length === 0) return null;
  return (
    <div className="@container">
      <div className="grid grid-flow-row-dense @3xl:grid-cols-2 gap-4">
        {panels.map((panel) => (
          <OnePanel key={`${panel.type} ${panel.title}`} panel={panel} view={view} />
        ))}
      </div>
    </div>
  );
}

function OnePanel({ panel, view }: { panel: Panel; view: PanelView }) {
  const entry = PANELS[panel.type] as Entry<Panel["type"]> | undefined;
  if (entry === undefined) return null;
  const Draw = entry.draw as ComponentType<{ panel: Panel; view: PanelView }>;
  return (
    <div className={cn("grid min-w-0", entry.isWide && "@3xl:col-span-2")}>
      <PanelBoundary title={panel.title}>
        <Draw panel={panel} view={view} />
      </PanelBoundary>
    </div>
  );
}
