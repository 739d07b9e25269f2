import { type ComponentType, memo } from "react";
import { isTerminal, type Panel } from "@/api/types";
import { BestSoFarPanel } from "@/components/panels/BestSoFar";
import { BreakdownPanel } from "@/components/panels/Breakdown";
import { CheckpointsPanel } from "@/components/panels/Checkpoints";
import { ComparisonPanel } from "@/components/panels/Comparison";
import { ConfusionPanel } from "@/components/panels/Confusion";
import { CorrelationsPanel } from "@/components/panels/Correlations";
import { CountsPanel } from "@/components/panels/Counts";
import { CurvePanel } from "@/components/panels/Curve";
import { DistributionPanel } from "@/components/panels/Distribution";
import { GaugesPanel } from "@/components/panels/Gauges";
import { HardwarePanel } from "@/components/panels/Hardware";
import { HeatmapPanel } from "@/components/panels/Heatmap";
import { ImportancesPanel } from "@/components/panels/Importances";
import { MeterPanel } from "@/components/panels/Meter";
import { PanelBoundary } from "@/components/panels/PanelBoundary";
import { RunEnded } from "@/components/panels/PanelFrame";
import { ParallelCoordinatesPanel } from "@/components/panels/ParallelCoordinates";
import { ParetoPanel } from "@/components/panels/Pareto";
import { PlanPanel } from "@/components/panels/Plan";
import { SamplesPanel } from "@/components/panels/Samples";
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
  Gauges: { draw: GaugesPanel, isWide: true },
  Comparison: { draw: ComparisonPanel, isWide: true },
  Correlations: { draw: CorrelationsPanel, isWide: true },
  Plan: { draw: PlanPanel, isWide: true },
  BestSoFar: { draw: BestSoFarPanel, isWide: false },
  Pareto: { draw: ParetoPanel, isWide: false },
  ParallelCoordinates: { draw: ParallelCoordinatesPanel, isWide: true },
  Importances: { draw: ImportancesPanel, isWide: false },
  Counts: { draw: CountsPanel, isWide: false },
  Samples: { draw: SamplesPanel, isWide: true },
  Checkpoints: { draw: CheckpointsPanel, isWide: false },
  Hardware: { draw: HardwarePanel, isWide: false },
};

interface KindPanelsProps {
  view: PanelView;
  panels: readonly Panel[];
}

/** Panels of a kind, in its order. A type this page does not know is left out. */
export const KindPanels = memo(function KindPanels({ view, panels }: KindPanelsProps) {
  if (panels.length === 0) return null;
  // The others stand in pairs; the last of an odd number takes its row alone.
  const narrow = panels.filter((panel) => PANELS[panel.type]?.isWide === false);
  const lonely = narrow.length % 2 === 1 ? narrow.at(-1) : null;
  return (
    <RunEnded value={isTerminal(view.run.status)}>
      <div className="@container">
        <div className="grid grid-flow-row-dense @3xl:grid-cols-2 gap-4">
          {panels.map((panel) => (
            <OnePanel
              key={`${panel.type} ${panel.title}`}
              panel={panel}
              view={view}
              isWide={panel === lonely || PANELS[panel.type]?.isWide === true}
            />
          ))}
        </div>
      </div>
    </RunEnded>
  );
});

function OnePanel({ panel, view, isWide }: { panel: Panel; view: PanelView; isWide: boolean }) {
  const entry = PANELS[panel.type] as Entry<Panel["type"]> | undefined;
  if (entry === undefined) return null;
  const Draw = entry.draw as ComponentType<{ panel: Panel; view: PanelView }>;
  return (
    <div className={cn("grid min-w-0", isWide && "@3xl:col-span-2")}>
      <PanelBoundary title={panel.title}>
        <Draw panel={panel} view={view} />
      </PanelBoundary>
    </div>
  );
}
