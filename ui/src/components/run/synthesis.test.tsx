import { render, screen, within } from "@testing-library/react";
import type { Item, Kind, Panel, Run } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import { KindPanels } from "@/components/panels/registry";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { RunCards } from "@/components/run/RunCards";
import { RunControls } from "@/components/run/RunControls";
import { RunProgress } from "@/components/run/RunProgress";
import { aRow } from "@/lib/analysis/fixtures";

/** A run with a plan, phases and gauges, as the kind `synthesis` has them. */
const PANELS: Panel[] = [
  {
    type: "Gauges",
    title: "Gauges",
    metrics: ["ks", "mia"],
    groups: [
      ["Utility", 1],
      ["Privacy", 1],
    ],
    phase: "Metrics",
  },
  {
    type: "Plan",
    title: "Plan",
    value: "plan",
    step: "attempt",
    verdict: "verdict",
    detail: null,
    kept: null,
    phase: "Planned",
  },
];
const KIND: Kind = {
  ...A_KIND,
  unit: "step",
  units: "steps",
  phases: ["Planned", "Prepare", "Training", "Metrics", "Backup", "Report"],
  metrics: [
    { name: "ks", label: "KS mean", format: "number", goal: "min", limit: 0.1, warn: null },
    { name: "mia", label: "MIA AUC", format: "number", goal: "min", limit: 0.6, warn: null },
  ],
};
const PLAN = {
  steps: [{ title: "conditional GAN", settings: { epochs: 100 } }],
  rationale: "Enough rows.",
  by: "rules",
};

function shown(changes: Partial<Run> = {}) {
  const run = aRun({
    phase: { name: "Training", index: 3, of: 6 },
    current: "conditional GAN, epoch 40 of 100",
    progress: { done: 42, failed: 0, reused: 0, total: 105, marks: [], groups: {} },
    ...changes,
  });
  const view = {
    kind: KIND,
    run,
    items: [aRow(1, { plan: PLAN })] as unknown as Item[],
    series: new Map(),
    conditions: [],
    onFilter: () => {},
    onOpen: () => {},
    onParams: async () => {},
  };
  render(
    <TooltipProvider>
      <RunProgress run={run} kind={KIND} remaining="~5m remaining" isStale={false} />
      <RunCards run={run} kind={KIND} elapsed={154} left="~5m" leftHint="" isStale={false} />
      <KindPanels view={view} panels={PANELS} />
    </TooltipProvider>,
  );
}

// rows: S3.1 S3.3
test("a running run says what it does, how far it is, which phase, and what was planned", () => {
  shown();

  expect(screen.getByText("Step 43 of 105: conditional GAN, epoch 40 of 100")).toBeVisible();
  expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "40");
  expect(screen.getByText("3 / 6").parentElement).toHaveTextContent("Training");
  const plan = screen.getByRole("region", { name: "Plan" });
  expect(plan).toHaveTextContent("Enough rows.");
  expect(within(plan).getByRole("listitem", { current: "step" })).toHaveTextContent("epochs 100");
});

// rows: S3.41 S3.73
test("metrics so far: each has a ring, which fills when it is measured", () => {
  shown({ metrics: { ks: 0.05 } });

  const [ks, mia] = within(screen.getByRole("region", { name: "Gauges" })).getAllByRole("listitem");
  expect(ks).toHaveTextContent("KS mean0.05✓ pass");
  expect(mia).toHaveTextContent("MIA AUC–After step 4: Metrics");
  expect([ks, mia].map((gauge) => gauge?.querySelectorAll("circle").length)).toEqual([2, 1]);
  expect(ks?.querySelectorAll("circle")[1]).toHaveClass("stroke-pass");
});

// rows: S3.84
test("cancel is red, the other controls are quiet", () => {
  const offers = [
    { action: "pause", label: "Pause", blocked: null },
    { action: "cancel", label: "Cancel", blocked: null },
  ] as const;
  render(
    <TooltipProvider>
      <RunControls offers={offers} onAct={() => {}} onPause={() => {}} run={aRun()} kind={KIND} />
    </TooltipProvider>,
  );

  expect(screen.getByRole("button", { name: "Cancel" })).toHaveClass("text-fail");
  expect(screen.getByRole("button", { name: "Pause" })).toHaveClass("bg-card", "text-text");
});
