import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { keys } from "@/api/queries";
import { TooltipProvider } from "@/components/base/Tooltip";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { aRow } from "@/lib/analysis/fixtures";
import { hasOnlyLines, TabContent } from "@/pages/run/TabContent";
import type { RunData } from "@/pages/run/useRunData";
import type { RunUrl } from "@/pages/run/useRunUrl";

vi.mock("@/components/panels/LineChart", () => ({ LineChart: () => null })); // it needs a real browser

beforeEach(() =>
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
      unobserve() {}
    },
  ),
);
afterEach(() => vi.unstubAllGlobals());

/** A tab of a run that is a command without items. */
function showTab(tab: RunUrl["tab"], changes: Partial<RunData> = {}) {
  const nothing = { done: 0, failed: 0, reused: 0, total: null, marks: [], groups: {} };
  const run = aRun({ kind: "script", progress: nothing });
  const client = new QueryClient();
  client.setQueryData(keys.run(run.id), run);
  const data = {
    run,
    kind: { ...A_KIND, name: "script" },
    items: { finished: [], inHand: [] },
    series: new Map([["loss", [[1, 3.1]]]]),
    seriesLoading: { error: null, reload: () => {} },
    ...changes,
  } as unknown as RunData;
  const table = { sort: null, conditions: [], text: "", limit: 50, open: null };
  const url = { tab, search: {}, table } as unknown as RunUrl;
  render(
    <QueryClientProvider client={client}>
      <TooltipProvider>
        <TabContent data={data} url={url} isFrozen={false} isPhone={false} onParams={async () => {}} />
      </TooltipProvider>
    </QueryClientProvider>,
  );
}

const NO_ITEMS = {
  finished: [],
  inHand: [],
  isWhole: true,
  isReady: true,
  error: null,
  reload: () => {},
} as never as RunData["items"];
const NO_LINES = { events: [], head: 10, epoch: "e" };
const refused = (status: number, message: string, hint: string) =>
  Response.json({ error: { code: "refused", message, hint } }, { status });

test("a command without items shows its lines, and its metrics where it tells some", async () => {
  vi.stubGlobal("fetch", async () => Response.json(NO_LINES));
  showTab("overview");

  expect(await screen.findByText("No console output yet")).toBeInTheDocument();
  expect(screen.getByLabelText("Filter the metrics")).toBeInTheDocument();
});

test("a command of which a bar alone is known shows its lines, until its first item is in hand", async () => {
  vi.stubGlobal("fetch", async () => Response.json(NO_LINES));
  const progress = { done: 11, failed: 0, reused: 0, total: 36, marks: [], groups: {} };
  const run = aRun({ kind: "script", progress });
  showTab("overview", { run, items: NO_ITEMS });

  expect(await screen.findByText("No console output yet")).toBeInTheDocument();

  const data = { run, kind: { ...A_KIND, name: "script" }, items: NO_ITEMS } as RunData;
  expect(hasOnlyLines(data)).toBe(true);
  expect(hasOnlyLines({ ...data, items: { ...data.items, inHand: [{ key: "1" }] as never } })).toBe(false);
});

test("lines that the server refuses are not waited for: it says why, and they can be asked for again", async () => {
  const answers = [refused(403, "This token may not read.", "Sign in anew."), Response.json(NO_LINES)];
  vi.stubGlobal("fetch", async () => answers.shift());
  showTab("logs");

  expect(await screen.findByRole("alert")).toHaveTextContent("This token may not read.Sign in anew.");
  expect(screen.queryByText("Loading…")).toBeNull();
  await userEvent.click(screen.getByText("Try again"));

  expect(await screen.findByText("No console output yet")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("metrics that the server refuses are not called none", async () => {
  const reload = vi.fn();
  const error = new Error("There is no run demo_1.");
  showTab("metrics", { series: new Map(), seriesLoading: { error, reload } });

  expect(screen.getByRole("alert")).toHaveTextContent("There is no run demo_1.");
  expect(screen.queryByText("No metrics yet")).toBeNull();
  await userEvent.click(screen.getByText("Try again"));
  expect(reload).toHaveBeenCalled();
});

test("where a result stands for several steps, the strip promises no cells for the rest", async () => {
  const progress = { done: 10, failed: 0, reused: 0, total: 40, marks: [], groups: {} };
  showTab("overview", {
    run: aRun({ progress }),
    kind: { ...A_KIND, unit: "step", units: "steps", panels: [] },
    items: { ...NO_ITEMS, finished: [aRow(2), aRow(1)] },
  } as unknown as Partial<RunData>);

  const strip = await screen.findByRole("region", { name: "All results" });
  expect(strip).toHaveTextContent("One cell per result");
  expect(strip.querySelectorAll("button")).toHaveLength(2);
  expect(strip.querySelectorAll(".bg-track")).toHaveLength(0);
});
