import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { TooltipProvider } from "@/components/base/Tooltip";
import { FailureCard } from "@/components/run/FailureCard";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { RunBadge } from "@/components/run/RunBadge";
import { RunCards } from "@/components/run/RunCards";
import { RunRemark } from "@/components/run/RunRemark";
import { ResultRow } from "@/components/run/results/ResultRow";
import { newestStack, StackDrawer } from "@/components/run/StackDrawer";
import { StuckNotice } from "@/components/run/StuckNotice";
import { served, show, stuckReport } from "@/components/run/stage";
import { aRow } from "@/lib/analysis/fixtures";

afterEach(() => vi.unstubAllGlobals());

describe("a stuck run", () => {
  const stuck = aRun({ stuck: true, stuck_cause: "the process is alive and idle (0% of a core)" });

  // rows: S2.86
  test("is named with duration, cause and what one can do", async () => {
    served({ "/stuck": stuckReport(stuck) });
    const onStack = vi.fn();
    show(
      <StuckNotice
        run={stuck}
        kind={A_KIND}
        onStack={onStack}
        controls={<button type="button">Pause</button>}
      />,
    );

    const notice = await screen.findByRole("region", { name: "This run looks stuck" });
    await waitFor(() => expect(notice).toHaveTextContent("Stuck 4m:"));
    expect(notice).toHaveTextContent(
      "The process is alive and idle (0% of a core); a call to a model may hang.",
    );
    expect(notice).toHaveTextContent("Its limit is 3m.");
    await userEvent.click(within(notice).getByText("View stack"));
    expect(onStack).toHaveBeenCalled();
  });

  test("is not told of again while it is snoozed", async () => {
    served({ "/stuck": stuckReport(stuck) });
    show(
      <>
        <h1 tabIndex={-1}>The run</h1>
        <StuckNotice run={{ ...stuck, id: "dozing" }} kind={A_KIND} onStack={() => {}} controls={null} />
      </>,
    );

    await userEvent.click(await screen.findByText("Wait 10 min"));

    expect(screen.queryByRole("region")).toBeNull();
    expect(screen.getByRole("heading", { name: "The run" })).toHaveFocus();
  });

  // rows: S2.11
  test("wears its flag as a word", async () => {
    served({ "/stuck": stuckReport(stuck) });
    show(<RunBadge run={stuck} kind={A_KIND} />);

    expect(await screen.findByText("Stuck 4m")).toBeInTheDocument();
  });
});

describe("the stack", () => {
  const logLine = (seq: number, source: string, text: string) =>
    ({ seq, time: "2026-01-31T09:30:00Z", level: "info", source, text, isFirst: true }) as const;

  test("is the newest dump of the log, all of its lines", () => {
    const lines = [
      logLine(3, "stack", "old"),
      logLine(5, "stdout", "x"),
      logLine(7, "stack", "a"),
      logLine(7, "stack", "b"),
    ];

    expect(newestStack(lines)).toMatchObject({ seq: 7, text: "a\nb" });
    expect(newestStack([logLine(5, "stdout", "x")])).toBeNull();
  });

  test("says so when none comes", () => {
    render(
      <TooltipProvider>
        <StackDrawer stack={null} state="missing" refusal={null} onAgain={() => {}} onClose={() => {}} />
      </TooltipProvider>,
    );

    expect(screen.getByRole("status")).toHaveTextContent("No stack has come.");
  });
});

describe("one line beside the status", () => {
  test("a released pause says what its resume would do", async () => {
    served({
      "/runs/demo_1/resume": { preview: { kept: 210, repeated: 1, left: 289, seconds: 240, cost: 0.12 } },
    });
    show(<RunRemark run={aRun({ status: "paused", strength: "release" })} />);

    expect(
      await screen.findByText("Resume: 210 kept · 1 repeated · 289 left · about 4 min · about $0.12"),
    ).toBeInTheDocument();
  });

  test("a cancel that cannot end says what it waits for", async () => {
    served({});
    show(<RunRemark run={aRun({ pending: "cancel", survivors: 2 })} />);

    expect(await screen.findByText(/2 processes do not die/)).toBeInTheDocument();
  });

  test("a queued run without a host says so", async () => {
    const run = aRun({ status: "queued", attempt: 0 });
    served({ "/stuck": { stuck: [], waiting: [{ run, cause: "waiting for a host: none is connected" }] } });
    show(<RunRemark run={run} />);

    expect(await screen.findByText("Waits for a host: none is connected.")).toBeInTheDocument();
  });
});

describe("a script", () => {
  const script = { ...A_KIND, name: "script", unit: "item", units: "items" };
  const failed = aRun({
    kind: "script",
    status: "failed",
    progress: { done: 0, failed: 0, reused: 0, total: null, marks: [], groups: {} },
    failure: {
      reason: "exit_code",
      message: "The command ended with exit code 3.",
      hint: null,
      where: null,
      exit_code: 3,
      signal: null,
      tail: "boom\n",
    },
  });

  test("that failed tells its exit code and its last lines, and no items", () => {
    render(<FailureCard run={failed} kind={script} onLogs={() => {}} retry={null} />);

    const card = screen.getByRole("region", { name: "Why it failed" });
    expect(card).toHaveTextContent("Failed after 3m 20s, exit code 3");
    expect(card).toHaveTextContent("Its last lines (1 line)");
    expect(card).not.toHaveTextContent("item");
  });

  test("without items has cards for time and exit code only", () => {
    render(<RunCards run={failed} kind={script} elapsed={200} left="–" leftHint="" isStale={false} />);

    expect(screen.getByText("Exit code").nextSibling).toHaveTextContent("3");
    expect(screen.queryByText("Rate")).toBeNull();
    expect(screen.queryByText("Items")).toBeNull();
  });
});

test.each([
  ["that an interrupted attempt began carries a mark with its meaning", true],
  ["that was begun again after a clean end carries none", false],
])("an item %s", (_, possible_duplicate) => {
  const item = { ...aRow(1), attempt: 2, starts: 2, possible_duplicate } as never;
  render(
    <ResultRow
      item={item}
      number={1}
      index={0}
      top={0}
      height={36}
      columns={[]}
      tracks=""
      isFresh={false}
      isOpen={false}
      isCursor={false}
      onOpen={() => {}}
    />,
  );

  const marks = screen.queryAllByTitle(/effects outside may have happened twice/);
  expect(marks.map((mark) => mark.textContent)).toEqual(possible_duplicate ? [" begun twice"] : []);
});
