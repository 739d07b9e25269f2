import { act, screen, waitFor, within } from "@testing-library/react";
import type { Run } from "@/api/types";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { type Call, served, show } from "@/components/run/stage";
import { RunningBadge } from "@/components/shell/NavLinks";
import { FleetStore, fleet } from "@/live/fleet";
import { Overview } from "@/pages/overview/Overview";
import { RunsPage } from "@/pages/runs/RunsPage";

const KIND = {
  ...A_KIND,
  unit: "sample",
  units: "samples",
  metrics: [{ name: "tokens", label: "Tokens", format: "integer", goal: null, limit: null, warn: null }],
};
const progress = { done: 9, failed: 0, reused: 0, total: 100, marks: [], groups: {} };
const batch = (id: string, changes: Partial<Run> = {}) =>
  aRun({ id, name: id, number: 7, progress, created_at: new Date().toISOString(), ...changes });
const tell = (...runs: Run[]) => act(() => fleet.take(runs.map((run) => ({ type: "run", data: run }))));

/** A server that has had one run long ago, and the page that it serves. */
function page(what: React.ReactNode): Call[] {
  const old = aRun({ id: "old", number: 1, status: "completed", ended_at: "2026-01-30T09:30:00.000Z" });
  const calls = served({
    "/runs": () => ({ runs: [old], total: 1, before: null }),
    "/kinds": { kinds: [KIND] },
    "/hosts": { hosts: [] },
  });
  show(
    <>
      <RunningBadge />
      {what}
    </>,
  );
  return calls;
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  Object.assign(fleet, { runs: new FleetStore().runs, ready: false });
});
afterEach(() => vi.unstubAllGlobals());

// rows: S2.27 S2.35 S2.48 S2.54 S2.55 S2.57
test("a batch that begins is in heading, card and badge in the moment in which it is told", async () => {
  page(<Overview />);
  await screen.findByText("Nothing is running");

  tell(batch("first"), batch("second"));

  expect(screen.getByRole("heading", { name: "2 runs running side by side" })).toBeVisible();
  expect(screen.getByText("2 running")).toBeVisible();
  const card = screen.getByRole("article", { name: "first" });
  const chip = within(card).getByText("Running").closest("[data-status]");
  expect(chip).toHaveClass("[&>svg]:animate-spin");
  expect(within(card).getByText("9 %")).toBeVisible();
});

// rows: S2.49 S2.50
test("another batch can be made while one goes on", async () => {
  page(<Overview />);
  await screen.findByText("Nothing is running");
  const button = screen.getByRole("button", { name: /^New run/ });

  tell(batch("first"));

  expect(button).toBeEnabled();
});

// rows: S2.61
test("tokens move with the samples", async () => {
  page(<Overview />);
  await screen.findByText("Nothing is running");
  tell(batch("first", { metrics: { tokens: 3600 } }));
  const card = await screen.findByText(/3,600 tokens/);

  tell(batch("first", { head: 11, progress: { ...progress, done: 10 }, metrics: { tokens: 4000 } }));

  expect(card).toHaveTextContent("4,000 tokens");
  expect(screen.getByText("10 %")).toBeVisible();
});

// rows: S2.71
test("the numbers of the day change with the end of a batch, and are asked for anew", async () => {
  const calls = page(<Overview />);
  await screen.findByText("Nothing is running");
  tell(batch("first"));
  const asked = calls.filter(({ path }) => path.startsWith("/api/runs?")).length;

  tell(batch("first", { head: 11, status: "completed", ended_at: new Date().toISOString() }));

  const today = screen.getByText("Today").closest("section");
  expect(within(today as HTMLElement).getByText("completed")).toBeVisible();
  expect(screen.getByRole("heading", { name: "Nothing is running" })).toBeVisible();
  await waitFor(() =>
    expect(calls.filter(({ path }) => path.startsWith("/api/runs?")).length).toBe(asked + 1),
  );
});

// rows: S2.36 S2.56
test("a new batch is a row of the table at once, and the row moves", async () => {
  page(<RunsPage />);
  await screen.findByText("1 in all");

  tell(batch("first"));

  const row = await screen.findByRole("row", { name: /first/ });
  expect(row).toHaveTextContent("9 %");
  tell(batch("first", { head: 11, progress: { ...progress, done: 10 } }));
  expect(row).toHaveTextContent("10 %");
});
