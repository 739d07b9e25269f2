import { screen } from "@testing-library/react";
import type { Item, Panel } from "@/api/types";
import { KindPanels } from "@/components/panels/registry";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { show } from "@/components/run/stage";
import { aRow } from "@/lib/analysis/fixtures";

const PLAN: Panel = {
  type: "Plan",
  title: "The plan",
  value: "plan",
  step: "attempt",
  verdict: "verdict",
  detail: "detail",
  kept: "kept",
  phase: "Plan",
};

describe("a plan", () => {
  const plan = {
    by: "rules",
    rationale: "600 rows are enough for a network.",
    steps: [
      { method: "ctgan", title: "conditional GAN", settings: { epochs: 1500, "batch size": 60 } },
      { method: "copula", title: "Gaussian copula", settings: {} },
      { method: "tvae" },
    ],
  };
  const PLANNED = aRow(1, { plan });
  const RED = aRow(9, { attempt: 1, verdict: "fail", detail: "KS mean 0.2 (fail)" });
  const steps = () => screen.getAllByRole("listitem").map((item) => item.textContent);
  const drawn = async (items: unknown[], run = {}) => {
    const view = {
      kind: A_KIND,
      run: aRun(run),
      items: items as Item[],
      series: new Map(),
      conditions: [],
      onFilter: () => {},
      onOpen: () => {},
      onParams: async () => {},
    };
    show(<KindPanels panels={[PLAN]} view={view} />);
    return screen.findByRole("region", { name: PLAN.title });
  };

  // rows: S3.3 S3.106
  test("says method, settings, backups and why, and which step is in hand", async () => {
    const panel = await drawn([aRow(2, { attempt: 1 }), PLANNED]);

    expect(panel).toHaveTextContent("by rules");
    expect(panel).toHaveTextContent("600 rows are enough for a network.");
    expect(steps()).toEqual([
      "1Conditional GANepochs 1,500 · batch size 60in hand",
      "2Gaussian copulabackup, if needed",
      "3Tvaebackup, if needed",
    ]);
    expect(screen.getByRole("listitem", { current: "step" })).toHaveTextContent("Conditional GAN");
  });

  test("says why a backup was needed, and which one was kept", async () => {
    const kept = { attempt: 2, verdict: "pass", detail: "kept", kept: true };
    const measured = aRow(20, { attempt: 2, verdict: "pass", detail: "KS mean 0.05 (pass)" });
    await drawn([aRow(21, kept), measured, RED, PLANNED], { status: "completed", metrics: { attempt: 2 } });

    expect(steps()).toEqual([
      "1Conditional GANepochs 1,500 · batch size 60✕ failKS mean 0.2 (fail)",
      "2Gaussian copula✓ passkeptKS mean 0.05 (pass)",
      "3Tvaenot needed",
    ]);
  });

  test("knows what is in hand before its first item, and what failed", async () => {
    const failed = aRow(5, { attempt: 1 }, { state: "failed", error: "The loss is not a number." });
    await drawn([failed, PLANNED], { metrics: { attempt: 2 }, status: "paused" });

    expect(steps().slice(0, 2)).toEqual([
      "1Conditional GANepochs 1,500 · batch size 60failedThe loss is not a number.",
      "2Gaussian copulapaused",
    ]);
  });
});
