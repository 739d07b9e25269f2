import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import type { Kind } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import type { LineChartProps } from "@/components/panels/LineChart";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { served, show } from "@/components/run/stage";
import { ComparePage } from "@/pages/compare/ComparePage";
import { chosenOf, MOST_RUNS, toggled } from "@/pages/compare/chosen";
import { charts } from "@/pages/compare/load";

const TRAINING: Kind = {
  ...A_KIND,
  name: "training",
  title: "Training",
  unit: "step",
  units: "steps",
  headline: "loss",
  metrics: [
    { name: "loss", label: "Loss", format: "number", goal: "min", limit: null, warn: null },
    { name: "samples", label: "Samples/s", format: "number", goal: "max", limit: null, warn: null },
  ],
};
const run = (number: number, loss?: number) =>
  aRun({
    id: `job_${number}`,
    number,
    name: `train-${number}`,
    kind: "training",
    status: "completed",
    ended_at: "2026-01-31T10:30:00.000Z",
    metrics: loss === undefined ? {} : { loss },
  });
const FACTS = { cores: 2, memory_bytes: 8e9, gpus: [] };
const at = (minute: number, cpu_percent: number) => ({
  time: `2026-01-31T09:${String(minute).padStart(2, "0")}:00.000Z`,
  values: { cpu_percent, memory_bytes: 2e9 },
});

// The lines need a real browser; the words beside them tell what they show.
vi.mock("@/components/panels/LineChart", async (original) => ({
  ...(await original<object>()),
  LineChart: ({ lines, write }: LineChartProps) =>
    lines.map(({ label, points }) => `${label} ${write(points.at(-1)?.[1] ?? 0)}`).join(", "),
}));
afterEach(() => vi.unstubAllGlobals());

function page() {
  const calls = served({
    "/kinds": { kinds: [TRAINING] },
    "/runs/job_1/metrics": {
      series: {
        loss: [
          [0, 4],
          [10, 2],
        ],
      },
      head: 9,
    },
    "/runs/job_2/metrics": {
      series: {
        loss: [
          [0, 3],
          [10, 1],
        ],
      },
      head: 9,
    },
    "/runs": { runs: [run(3), run(2, 1), run(1, 2)], total: 3, cursor: null },
    "/machines": { machines: [{ name: "lab", seen_at: "2026-01-31T09:30:00.000Z", facts: FACTS }] },
    "/hosts/lab/resources": { name: "lab", facts: FACTS, samples: [at(1, 20), at(2, 40)] },
  });
  show(
    <TooltipProvider>
      <ComparePage />
    </TooltipProvider>,
  );
  return calls;
}

describe("the page that compares", () => {
  // rows: S5.75
  test("draws one metric of several runs over the same steps", async () => {
    page();

    const curves = await screen.findByRole("region", { name: "Loss by step" });
    await waitFor(() => expect(curves).toHaveTextContent("train-2 #2: Fell from 3 to 1 up to step 10"));
    expect(curves).toHaveTextContent("train-1 #1: Fell from 4 to 2 up to step 10");
    fireEvent.click(within(curves).getByRole("button", { name: "Show as table" }));
    const rows = within(curves).getAllByRole("row");
    expect(rows.map((row) => row.textContent)).toEqual(["Steptrain-2 #2train-1 #1", "1012", "034"]);
  });

  // rows: S5.76
  test("lists the figures of earlier runs and marks the best", async () => {
    page();

    const best = await screen.findByRole("row", { name: /train-2/ });
    expect(best).toHaveTextContent("1best");
    expect(screen.getByRole("row", { name: /train-1/ })).not.toHaveTextContent("best");
    expect(screen.getByRole("row", { name: /train-3/ })).toHaveTextContent("–");
    expect(screen.getByRole("checkbox", { name: "Draw train-3 #3" })).not.toBeChecked();
  });

  // rows: S5.77
  test("shows what a host's machine was busy with over time", async () => {
    const calls = page();

    const machines = await screen.findByRole("region", { name: "Machines" });
    await waitFor(() =>
      expect(within(machines).getByRole("region", { name: "Use" })).toHaveTextContent("40 %"),
    );
    expect(within(machines).getByRole("region", { name: "Memory" })).toHaveTextContent("2 GB");
    expect(machines).toHaveTextContent("2 cores, 8 GB");
    expect(calls.some(({ path }) => path === "/api/hosts/lab/resources?hours=1")).toBe(true);
  });
});

describe("the choice", () => {
  const runs = [run(4), run(3, 3), run(2, 2), run(1, 1)];

  test("is the newest runs with the headline, unless the address says otherwise", () => {
    expect(chosenOf({}, [TRAINING], runs)).toEqual({
      kind: "training",
      metric: "loss",
      runs: ["job_3", "job_2", "job_1"],
    });
    expect(chosenOf({ metric: "samples", runs: "job_1" }, [TRAINING], runs)).toMatchObject({
      metric: "samples",
      runs: ["job_1"],
    });
    expect(chosenOf({ runs: "," }, [TRAINING], runs).runs).toEqual([]);
    expect(chosenOf({ kind: "gone", metric: "gone" }, [TRAINING], runs)).toMatchObject({
      kind: "training",
      metric: "loss",
    });
  });

  test("takes in as many as a chart can tell apart", () => {
    const full = Array.from({ length: MOST_RUNS }, (_, index) => `job_${index}`);

    expect(toggled(["job_1"], "job_2")).toEqual(["job_1", "job_2"]);
    expect(toggled(["job_1", "job_2"], "job_1")).toEqual(["job_2"]);
    expect(toggled(full, "job_9")).toEqual(full);
  });
});

describe("the load of a machine", () => {
  test("is a chart for each unit, with the GPUs beside the processor", () => {
    const values = { cpu_percent: 20, memory_bytes: 1, gpu0_percent: 90, gpu0_celsius: 70 };
    const found = charts([{ time: "2026-01-31T09:00:00.000Z", values }]);

    expect(found.map(({ unit, lines }) => [unit, lines.map(({ label }) => label)])).toEqual([
      ["percent", ["CPU", "GPU 0 use"]],
      ["bytes", ["Memory"]],
      ["celsius", ["GPU 0 temperature"]],
    ]);
  });

  test("has a gap where the host was silent", () => {
    const [use] = charts([at(1, 1), at(2, 2), at(3, 3), at(30, 4), at(31, 5)]);

    expect(use?.lines[0]?.points.map(([, value]) => value)).toEqual([1, 2, 3, null, 4, 5]);
  });
});
