import { act, fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Item, Kind, Panel } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import { KindPanels } from "@/components/panels/registry";
import type { PanelView } from "@/components/panels/view";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { served, show } from "@/components/run/stage";
import { aRow } from "@/lib/analysis/fixtures";
import type { Point } from "@/lib/analysis/series";

const KIND: Kind = {
  ...A_KIND,
  unit: "trial",
  units: "trials",
  phases: ["Plan", "Training", "Metrics"],
  columns: [
    { name: "p95", label: "P95 latency", format: "milliseconds", shown: true, filter: false },
    { name: "ok", label: "SLO met", format: "boolean", shown: true, filter: false },
  ],
  metrics: [
    { name: "ks", label: "KS mean", format: "number", goal: "min", limit: 0.1, warn: null },
    { name: "corr", label: "Corr delta", format: "number", goal: "min", limit: 0.1, warn: 0.15 },
    { name: "mia", label: "MIA AUC", format: "number", goal: "min", limit: 0.6, warn: null },
    { name: "eval", label: "Eval loss", format: "number", goal: "min", limit: null, warn: null },
  ],
};

const GAUGES: Panel = {
  type: "Gauges",
  title: "Quality",
  metrics: ["ks", "corr", "mia"],
  groups: [
    ["Utility", 2],
    ["Privacy", 1],
  ],
  phase: "Metrics",
};
const COMPARISON: Panel = {
  type: "Comparison",
  title: "Real and synthetic",
  value: "columns",
  phase: "Metrics",
};
const CORRELATIONS: Panel = {
  type: "Correlations",
  title: "Held together",
  value: "ties",
  phase: "Metrics",
};
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
const BEST: Panel = { type: "BestSoFar", title: "Best so far", value: "score", goal: "min" };
const PARETO: Panel = {
  type: "Pareto",
  title: "Trade-off",
  axes: [
    ["tput", "max"],
    ["p95", "min"],
    ["score", "min"],
  ],
  best: "ok",
};
const PARALLEL: Panel = {
  type: "ParallelCoordinates",
  title: "Settings",
  fields: ["param_*", "score"],
  value: "score",
  goal: "min",
};
const IMPORTANCES: Panel = { type: "Importances", title: "What matters", prefix: "importance/" };
const COUNTS: Panel = { type: "Counts", title: "Mix", by: ["topic", "level"], value: "ok" };
const SAMPLES: Panel = {
  type: "Samples",
  title: "Samples",
  text: ["question", "answer"],
  facts: ["topic", "p95"],
  verdict: "verdict",
};
const CHECKPOINTS: Panel = {
  type: "Checkpoints",
  title: "Checkpoints",
  prefix: "checkpoints/",
  metric: "eval",
  goal: "min",
};
const HARDWARE: Panel = { type: "Hardware", title: "Hardware" };
const ALL = [
  GAUGES,
  COMPARISON,
  CORRELATIONS,
  PLAN,
  BEST,
  PARETO,
  PARALLEL,
  IMPORTANCES,
  COUNTS,
  SAMPLES,
  CHECKPOINTS,
  HARDWARE,
] as const;

const columns = [
  { column: "age", ks: 0.02, labels: ["18", "30"], real: [0.5, 0.5], synthetic: [0.48, 0.52] },
  { column: "bmi", ks: 0.2, labels: ["low", "high"], real: [0.5, 0.5], synthetic: [0.3, 0.7] },
];
const text = {
  question: "Who pays?",
  answer: "<b>The seller</b>",
  verdict: "kept",
  topic: "tax",
  level: "easy",
};

/** Newest first: the second trial failed, the first one is the best. */
const ITEMS = [
  aRow(3, { ...text, score: 3, tput: 900, p95: 250, ok: false, param_tp: 2, columns }),
  aRow(2, {}, { state: "failed", error: "out of memory" }),
  aRow(1, { ...text, score: 2, tput: 1200, p95: 180, ok: true, param_tp: 4, topic: "tort" }),
] as unknown as Item[];

function aView(changes: Partial<PanelView> = {}): PanelView {
  return {
    kind: KIND,
    run: aRun(),
    items: [],
    series: new Map(),
    conditions: [],
    onFilter: vi.fn(),
    onOpen: vi.fn(),
    onParams: vi.fn(),
    ...changes,
  };
}

function draw(panels: Panel | readonly Panel[], changes: Partial<PanelView> = {}): PanelView {
  const view = aView(changes);
  served({ "/runs/": { artifacts: [] } });
  show(<KindPanels panels={[panels].flat()} view={view} />);
  return view;
}

const frame = (panel: Panel) => screen.findByRole("region", { name: panel.title });

describe("every new panel", () => {
  test.each(ALL)("$type says what it waits for while there is nothing", async (panel) => {
    draw(panel);

    expect(await frame(panel)).toHaveTextContent(/after/i);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test.each(ALL)("$type does not wait once the run has ended", async (panel) => {
    draw(panel, { run: aRun({ status: "completed" }) });

    expect(await frame(panel)).not.toHaveTextContent(/after/i);
  });

  test.each(ALL)("$type survives items that lack its fields", async (panel) => {
    const odd = [aRow(2, { score: "x", columns: 7, question: { a: 1 }, param_tp: [] }), aRow(1)];
    draw(panel, {
      items: odd as unknown as Item[],
      run: aRun({ metrics: { ks: "NaN", "importance/a": null } }),
    });

    await frame(panel);
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

test("gauges say the step they wait for, and pass, warn and fail in words", async () => {
  draw(GAUGES, { run: aRun({ metrics: { ks: 0.081, corr: 0.112 } }) });

  const panel = await frame(GAUGES);
  expect(panel).toHaveTextContent("KS mean0.081✓ passlimit ≤ 0.1");
  expect(panel).toHaveTextContent("Corr delta0.112▲ warnlimit ≤ 0.1, warning to 0.15");
  expect(within(panel).getByRole("region", { name: "Privacy" })).toHaveTextContent("After step 3: Metrics");
});

test("a gauge whose value is no number says so", async () => {
  draw(GAUGES, { run: aRun({ metrics: { ks: "NaN" } }) });

  expect(await frame(GAUGES)).toHaveTextContent("KS meanNaN");
});

test("a comparison begins with the column that differs most and shows its numbers as a table", async () => {
  draw(COMPARISON, { items: ITEMS });

  const chosen = await screen.findByRole("button", { name: /bmi/, pressed: true });
  expect(screen.getByRole("img", { name: /bmi.*differ most at low \(50.0 % and 30.0 %\)/ })).toBeVisible();
  expect(chosen).toHaveTextContent("0.200");

  await userEvent.click(screen.getByRole("button", { name: /^age/ }));
  await userEvent.click(screen.getByRole("button", { name: "Show as table" }));
  expect(screen.getByRole("row", { name: "18 50.0 % 48.0 %" })).toBeVisible();
});

test("correlations say the pair that changed most, the pair pointed at, and all pairs as a table", async () => {
  const ties = {
    columns: ["age", "bmi", "sex"],
    real: [
      [1, 0.5, 0.1],
      [0.5, 1, 0],
      [0.1, 0, 1],
    ],
    synthetic: [
      [1, -0.25, 0.2],
      [-0.25, 1, 0],
      [0.2, 0, 1],
    ],
  };
  draw(CORRELATIONS, {
    items: [aRow(2, { ties: { columns: ["a"] } }), aRow(1, { ties })] as unknown as Item[],
  });

  const panel = await frame(CORRELATIONS);
  expect(panel).toHaveTextContent("Changed most: age × bmi: 0.50 real, −0.25 synthetic, −0.75 difference");
  const cells = within(within(panel).getByRole("row", { name: /^sex/ })).getAllByRole("cell");
  expect(cells.map((cell) => cell.textContent)).toEqual(["0.10", "0.00", "the same column"]);
  fireEvent.pointerOver(within(panel).getAllByTitle(/^sex × age/)[0] as HTMLElement);
  expect(panel).toHaveTextContent("sex × age: 0.10 real, 0.20 synthetic, 0.10 difference");

  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Which map" }), "Real");
  expect(within(panel).getByRole("columnheader", { name: "Real" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Show as table" }));
  expect(screen.getAllByRole("row")[1]).toHaveTextContent("age × bmi0.50−0.25−0.75");
});

test("best so far names the best trial, counts failures, and its table opens a trial", async () => {
  const { onOpen } = draw(BEST, { items: ITEMS });

  expect(await screen.findByRole("img", { name: /Best score 2 at trial 1 of 3, low is good/ })).toBeVisible();
  expect(await frame(BEST)).toHaveTextContent("✕ 1 trial without a score");

  await userEvent.click(screen.getByRole("button", { name: "Show as table" }));
  await userEvent.click(screen.getByRole("button", { name: "#1" }));
  expect(onOpen).toHaveBeenCalledWith("k1");
});

test("a click near a point opens its item", async () => {
  const { onOpen } = draw(BEST, { items: ITEMS });
  const plot = await screen.findByRole("img");
  const star = plot.querySelector("polygon")?.getAttribute("points")?.split(" ")[0]?.split(",") ?? [];

  const at = { bubbles: true, clientX: Number(star[0]) + 52, clientY: Number(star[1]) + 18 };
  fireEvent(plot, new MouseEvent("pointermove", at));
  fireEvent.click(plot);

  expect(onOpen).toHaveBeenCalledWith("k1");
});

test("the front can be seen by other fields, and choosing the other axis's field swaps the two", async () => {
  draw(PARETO, { items: ITEMS });
  expect(
    await screen.findByRole("img", { name: /2 trials by tput and P95 latency; 1 of them/ }),
  ).toBeVisible();

  await userEvent.selectOptions(screen.getByLabelText("Up"), "tput ↑");

  expect(screen.getByRole("img", { name: /2 trials by P95 latency and tput/ })).toBeVisible();
});

test("the arrow keys on an axis let fewer lines through, and Escape lets all through again", async () => {
  draw(PARALLEL, { items: ITEMS });
  const axis = await screen.findByRole("slider", { name: /^tp:/ });

  act(() => axis.focus());
  fireEvent.keyDown(axis, { key: "ArrowUp" });
  expect(screen.getByRole("status")).toHaveTextContent("1 of 2 trials");
  expect(axis).toHaveAttribute("aria-valuetext", "3 to 4, 1 of 2 shown");

  fireEvent.keyDown(axis, { key: "Escape" });
  expect(screen.getByRole("status")).toHaveTextContent("2 of 2 trials");
});

test("parallel coordinates as a table hold what is let through", async () => {
  draw(PARALLEL, { items: ITEMS });

  await userEvent.selectOptions(await screen.findByLabelText("Which trials"), "0.1");
  await userEvent.click(screen.getByRole("button", { name: "Show as table" }));

  expect(screen.getAllByRole("row").slice(1)).toHaveLength(1);
  expect(screen.getAllByRole("columnheader", { name: "score" })).toHaveLength(1);
});

test("importances are written in per cent", async () => {
  draw(IMPORTANCES, { run: aRun({ metrics: { "importance/tp": 0.61 } }) });

  expect(await screen.findByText("61 %")).toBeVisible();
});

test("a count filters the results, by whichever field is chosen", async () => {
  const { onFilter } = draw(COUNTS, { items: ITEMS });

  await userEvent.click(await screen.findByRole("button", { name: /tort 1 of 1, 100 %/ }));
  expect(onFilter).toHaveBeenCalledWith([{ field: "topic", value: "tort" }]);

  await userEvent.selectOptions(screen.getByLabelText("Count by"), "level");
  expect(screen.getByRole("button", { name: /easy 1 of 2/ })).toBeVisible();
});

test("what a model wrote is plain text, and a failed item says why", async () => {
  const { onOpen } = draw(SAMPLES, { items: ITEMS });

  expect(await screen.findAllByText("<b>The seller</b>")).toHaveLength(2);
  expect(screen.getByText("out of memory")).toBeVisible();
  expect(screen.getByText("tax · 250 ms")).toBeVisible();

  await userEvent.click(screen.getByRole("button", { name: "Open k3" }));
  expect(onOpen).toHaveBeenCalledWith("k3");
});

test("samples stay where they are while they are being read", async () => {
  const two = (items: Item[]) => (
    <TooltipProvider>
      <KindPanels panels={[SAMPLES]} view={aView({ items })} />
    </TooltipProvider>
  );
  const { rerender } = render(two(ITEMS.slice(1)));
  fireEvent.focus(screen.getAllByRole("list")[0] as HTMLElement);

  rerender(two(ITEMS));

  expect(screen.queryByText("#3")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show the new ones" }));
  expect(screen.getByText("#3")).toBeVisible();
});

test("the best checkpoint is marked and can be downloaded", async () => {
  const file = (step: number) => ({
    name: `checkpoints/step-${step}.zip`,
    bytes: 412e6,
    sha256: "a",
    time: "2026-01-31T09:30:00.000Z",
  });
  served({ "/runs/": { artifacts: [file(10), file(20)] } });
  const series = new Map<string, readonly Point[]>([
    [
      "eval",
      [
        [10, 0.2],
        [20, 0.3],
      ],
    ],
  ]);
  show(<KindPanels panels={[CHECKPOINTS]} view={aView({ series })} />);

  expect(await screen.findByRole("rowheader", { name: "step 10 best" })).toBeVisible();
  expect(screen.getByRole("rowheader", { name: "step 20 last" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Download step-10.zip" })).toHaveAttribute(
    "href",
    "/api/runs/demo_1/artifacts/checkpoints/step-10.zip",
  );
});

test("an ended run goes on behind a chosen checkpoint, as a new run", async () => {
  const file = { name: "checkpoints/step-10.zip", bytes: 4, sha256: "a", time: "2026-01-31T09:30:00.000Z" };
  const preview = { kept: 10, repeated: 0, left: 20, total: 30, seconds: null, cost: null };
  const calls = served({
    "/runs/demo_1/retry?dry_run=1": preview,
    "/runs/demo_1/retry": { id: "demo_2" },
    "/runs/": { artifacts: [file] },
  });
  const items = [aRow(1, { step: 10 })] as unknown as Item[];
  const view = { run: aRun({ status: "completed" }), kind: { ...KIND, ends_at: "step" }, items };
  show(<KindPanels panels={[CHECKPOINTS]} view={aView(view)} />);

  await userEvent.click(await screen.findByRole("button", { name: "Resume from step 10" }));
  await screen.findByText("trial 11 of 30");
  await userEvent.click(screen.getByText("Start new run"));

  const from = { only: "remaining", from: items[0]?.key };
  expect(calls.filter(({ path }) => path.includes("retry")).map(({ body }) => body)).toEqual([from, from]);
});

test("hardware without a GPU shows the host alone", async () => {
  draw(HARDWARE, { series: new Map([["system/cpu_percent", [[1, 37]]]]) });

  expect(await frame(HARDWARE)).toHaveTextContent("37 %");
  expect(screen.queryByText(/GPU/)).toBeNull();
});

test("the last of an odd number of narrow panels takes the whole row", async () => {
  const panels = [COUNTS, GAUGES, { ...COUNTS, title: "B" }, { ...COUNTS, title: "C" }];
  draw(panels);

  const places = (await Promise.all(panels.map(frame))).map((panel) => panel.parentElement?.className);
  expect(places.map((place) => place?.includes("col-span-2"))).toEqual([false, true, false, true]);
});
