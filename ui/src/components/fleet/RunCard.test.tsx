import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Kind, Run } from "@/api/types";
import { RunCard } from "@/components/fleet/RunCard";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { served, show } from "@/components/run/stage";

const KIND: Kind = {
  ...A_KIND,
  unit: "sample",
  units: "samples",
  headline: "score",
  metrics: [
    { name: "score", label: "Score", format: "percent", goal: "max", limit: null, warn: null },
    { name: "tokens", label: "Tokens", format: "integer", goal: null, limit: null, warn: null },
  ],
};
const progress = { done: 10, failed: 0, reused: 0, total: 25, marks: [], groups: {} };
const generating = (changes: Partial<Run> = {}) =>
  aRun({ progress, current: null, metrics: { score: 0.5, tokens: 48_210 }, ...changes });

async function card(run: Run) {
  show(<RunCard run={run} kind={KIND} isFresh />);
  return await screen.findByRole("article", { name: run.name });
}

const nameOf = (button: HTMLElement) => button.getAttribute("aria-label") ?? button.textContent;

afterEach(() => vi.unstubAllGlobals());

describe("the card of a running run", () => {
  // rows: S2.6 S2.9 S2.28 S2.32 S3.24 S3.44
  test("has its name, status, share, count, time, tokens and result", async () => {
    served({});
    const shown = await card(generating());

    expect(within(shown).getByRole("link")).toHaveTextContent("prompt-tuning-oct");
    expect(shown).toHaveTextContent("Running");
    expect(shown).toHaveTextContent("LIVE");
    expect(shown).toHaveTextContent("40 % · 10/25 samples");
    expect(shown).toHaveTextContent("elapsed 3m 20s");
    expect(shown).toHaveTextContent("48,210 tokens");
    expect(shown).toHaveTextContent("score 50");
    expect(within(shown).getByRole("progressbar")).toHaveAttribute("aria-valuenow", "40");
  });

  test("says what it has spent once, though the kind also foretells it", async () => {
    served({});
    const money = (name: string, label: string): Kind["metrics"][number] => ({
      name,
      label,
      format: "money",
      goal: null,
      limit: null,
      warn: null,
    });
    const kind = { ...KIND, metrics: [money("cost", "Cost"), money("cost_at_end", "Cost at the end")] };
    show(<RunCard run={generating({ metrics: { cost: 0.12, cost_at_end: 0.3 } })} kind={kind} isFresh />);

    const shown = await screen.findByRole("article");
    expect(shown).toHaveTextContent("$0.12 (~$0.30 in total)");
    expect(shown.textContent?.match(/\$/g)).toHaveLength(2);
  });

  test("says about how long it still takes", async () => {
    served({});
    expect(await card(generating())).toHaveTextContent("~5m remaining");
  });

  test("that is being paused offers to undo it, and one that is being cancelled its cancel only", async () => {
    served({});
    const first = await card(generating({ pending: "pause" }));
    expect(within(first).getAllByRole("button").map(nameOf)).toEqual([
      "Undo pause",
      "Cancel prompt-tuning-oct",
    ]);
    cleanup();

    const second = await card(generating({ pending: "cancel" }));
    expect(within(second).getAllByRole("button").map(nameOf)).toEqual(["Cancelling… prompt-tuning-oct"]);
  });

  test("that waits says its place in line, and shows no empty bar", async () => {
    served({});
    const idle = { ...progress, done: 0, total: null };
    const shown = await card(generating({ status: "queued", started_at: null, progress: idle, metrics: {} }));

    expect(shown).toHaveTextContent("next in line");
    expect(within(shown).queryByRole("progressbar")).toBeNull();
  });

  test("says of a command that counts nothing so, and does not wait for a total", async () => {
    served({});
    const quiet = { ...progress, done: 0, total: null };
    show(
      <RunCard
        run={generating({ kind: "script", progress: quiet })}
        kind={{ ...KIND, name: "script" }}
        isFresh
      />,
    );
    const shown = await screen.findByRole("article");

    expect(shown).toHaveTextContent("tells no samples");
    expect(shown).not.toHaveTextContent("total unknown");
  });

  // rows: S3.19 S3.20 S3.70
  test("names the phase it is in, of how many", async () => {
    served({});
    const shown = await card(generating({ phase: { name: "Training", index: 3, of: 8 } }));

    expect(shown).toHaveTextContent("Step 3 of 8: Training");
  });

  // rows: S2.33 S2.41 S2.62
  test("counts its time by the second", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    served({});
    const since = new Date(Date.now()).toISOString();
    const shown = await card(generating({ active_seconds: 100, active_since: since }));
    const before = shown.textContent;

    await act(() => vi.advanceTimersByTimeAsync(3000));

    expect(before).toMatch(/elapsed 1m 4[01]s/);
    expect(shown.textContent).toMatch(/elapsed 1m 4[34]s/);
    vi.useRealTimers();
  });

  // rows: S2.34 S3.22 S3.23
  test("has a button of its own that cancels it, and asks first", async () => {
    const calls = served({});
    const shown = await card(generating({ progress: { ...progress, done: 20 } }));

    await userEvent.click(within(shown).getByRole("button", { name: "Cancel prompt-tuning-oct" }));

    expect(await screen.findByRole("dialog", { hidden: true })).toHaveTextContent(
      "This action cannot be undone.",
    );
    expect(calls.some(({ path }) => path.endsWith("/cancel"))).toBe(false);
  });
});
