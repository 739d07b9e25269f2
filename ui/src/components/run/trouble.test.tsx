import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import type { Run } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import { StopDialog } from "@/components/fleet/StopDialog";
import { FailureCard } from "@/components/run/FailureCard";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { PauseDialog } from "@/components/run/PauseDialog";
import { RetryDialog } from "@/components/run/RetryDialog";
import { RunBadge } from "@/components/run/RunBadge";
import { RunCards } from "@/components/run/RunCards";
import { RunRemark } from "@/components/run/RunRemark";
import { ResultRow } from "@/components/run/results/ResultRow";
import { newestStack, StackDrawer } from "@/components/run/StackDrawer";
import { StuckNotice } from "@/components/run/StuckNotice";
import { aRow } from "@/lib/analysis/fixtures";
import { fleet } from "@/live/fleet";
import { onNotice } from "@/live/notices";

interface Call {
  path: string;
  body: unknown;
}

/** A server that answers by the beginning of a path, and what was asked of it. */
function served(answers: Record<string, unknown>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const call: Call = { path, body: init.body ? JSON.parse(String(init.body)) : null };
    calls.push(call);
    const found = Object.entries(answers).find(([begin]) => path.startsWith(`/api${begin}`));
    const said = typeof found?.[1] === "function" ? found[1](call) : found?.[1];
    return Response.json(said ?? {}, { status: found ? 200 : 404 });
  });
  return calls;
}

function show(what: ReactNode) {
  vi.stubGlobal("scrollTo", () => {});
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const rootRoute = createRootRoute({ component: () => what });
  const router = createRouter({ routeTree: rootRoute, history: createMemoryHistory() });
  return render(
    <QueryClientProvider client={client}>
      <TooltipProvider>
        <RouterProvider router={router as never} />
      </TooltipProvider>
    </QueryClientProvider>,
  );
}

const stuckReport = (...runs: Run[]) => ({
  stuck: runs.map((run) => ({
    run,
    seconds: 245,
    limit: 180,
    cause: "the process is alive and idle (0% of a core)",
    version: `${run.attempt}-running-`,
  })),
  waiting: [],
});

afterEach(() => vi.unstubAllGlobals());

describe("a stuck run", () => {
  const stuck = aRun({ stuck: true, stuck_cause: "the process is alive and idle (0% of a core)" });

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
    show(<StuckNotice run={{ ...stuck, id: "dozing" }} kind={A_KIND} onStack={() => {}} controls={null} />);

    await userEvent.click(await screen.findByText("Wait 10 min"));

    expect(screen.queryByRole("region")).toBeNull();
  });

  test("wears its flag as a word", async () => {
    served({ "/stuck": stuckReport(stuck) });
    show(<RunBadge run={stuck} kind={A_KIND} />);

    expect(await screen.findByText("Stuck 4m")).toBeInTheDocument();
  });
});

describe("stop all stuck", () => {
  const [one, other] = [
    aRun({ id: "a", name: "one", stuck: true }),
    aRun({ id: "b", name: "other", stuck: true }),
  ];
  const answer = (call: Call) => ({
    answers: (call.body as { run_ids: string[] }).run_ids.map((run_id) => ({
      run_id,
      status: "running",
      pending: "cancel",
      changed: true,
      event_seq: 11,
    })),
  });

  test("sends exactly the runs that are stuck at that moment, with the versions seen", async () => {
    const calls = served({ "/stuck": stuckReport(one), "/controls": answer });
    fleet.take([
      { type: "run", data: one },
      { type: "run", data: other },
    ]);
    const said: string[] = [];
    const stop = onNotice((notice) => said.push(`${notice.text} ${notice.detail}`));
    show(<StopDialog runs={[one, other]} stuck onClose={() => {}} />);

    await userEvent.click(await screen.findByText("Stop 2 runs"));

    await waitFor(() => expect(said).toEqual(["Stopping 1 run. other woke up and was left running."]));
    expect(calls.find(({ path }) => path === "/api/controls")?.body).toEqual({
      control: "cancel",
      run_ids: ["a"],
      versions: { a: "1-running-" },
    });
    stop();
  });

  test("sends nothing when all of them woke up", async () => {
    const calls = served({ "/stuck": stuckReport(), "/controls": answer });
    const said: string[] = [];
    const stop = onNotice((notice) => said.push(notice.text));
    show(<StopDialog runs={[one]} stuck onClose={() => {}} />);

    await userEvent.click(await screen.findByText("Stop 1 run"));

    await waitFor(() => expect(said).toEqual(["Nothing was stopped."]));
    expect(calls.some(({ path }) => path === "/api/controls")).toBe(false);
    stop();
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

describe("the pause dialog", () => {
  const open = () => {
    const onPause = vi.fn();
    render(<PauseDialog name="oct" unit="test" canRelease onPause={onPause} onClose={() => {}} />);
    return onPause;
  };

  test("asks for a strength, an end and a reason, and sends what was chosen", async () => {
    const onPause = open();

    await userEvent.click(screen.getByLabelText("by itself in 15 minutes"));
    await userEvent.click(screen.getByLabelText(/Free its memory/));
    await userEvent.type(screen.getByLabelText("Reason"), "budget");
    await userEvent.click(screen.getByText("Pause", { selector: "button" }));

    expect(onPause).toHaveBeenCalledWith({ strength: "release", until: "15m", reason: "budget" });
  });

  test("sends the next moment of a time as a moment", async () => {
    const onPause = open();

    await userEvent.click(screen.getByText("Pause", { selector: "button" }));

    const until = new Date(onPause.mock.calls[0]?.[0].until).getTime();
    expect(until).toBeGreaterThan(Date.now());
    expect(until).toBeLessThan(Date.now() + 86_400_000);
  });

  test("Enter right after it opens keeps the run running", async () => {
    const onPause = open();

    await userEvent.keyboard("{Enter}");

    expect(onPause).not.toHaveBeenCalled();
  });
});

describe("the retry dialog", () => {
  const PREVIEWS = {
    remaining: { kept: 210, repeated: 0, left: 290, seconds: 240, cost: 0.12 },
    failed: { kept: 207, repeated: 3, left: 290, seconds: 245, cost: 0.12 },
    all: { kept: 0, repeated: 3, left: 497, seconds: 480, cost: 0.24 },
  };
  const kind = {
    ...A_KIND,
    metrics: [{ name: "cost", label: "Cost", format: "money", goal: null, limit: null, warn: null }] as never,
    params_schema: { properties: { concurrency: { type: "integer", title: "Concurrency" } } },
  };
  const retries = (call: Call) => {
    const { only } = call.body as { only: keyof typeof PREVIEWS };
    return call.path.endsWith("dry_run=1") ? PREVIEWS[only] : { id: "new" };
  };

  test("says what is kept, done again and left, and what it takes", async () => {
    served({ "/runs/demo_1/retry": retries });
    show(<RetryDialog run={aRun({ status: "failed" })} kind={kind} onClose={() => {}} />);

    expect(await screen.findByText("290 tests")).toBeInTheDocument();
    const facts = screen.getByLabelText("What it will do");
    await waitFor(() => expect(facts).toHaveTextContent("Kept210Done again0Left290Takes~4 minCosts~$0.12"));
    await userEvent.click(screen.getByLabelText(/Retry failed/));
    expect(facts).toHaveTextContent("Kept207Done again3Left290");
  });

  test("sends the choice, and of the params only what was changed", async () => {
    const calls = served({ "/runs/demo_1/retry": retries });
    const run = aRun({ status: "failed", params: { concurrency: 4 } });
    show(<RetryDialog run={run} kind={kind} onClose={() => {}} />);

    await screen.findByText("290 tests");
    await userEvent.click(screen.getByText("Change settings"));
    const field = screen.getByLabelText(/Concurrency/);
    await userEvent.clear(field);
    await userEvent.type(field, "2");
    await userEvent.click(screen.getByText("Start retry"));

    await waitFor(() =>
      expect(calls.at(-1)).toEqual({
        path: "/api/runs/demo_1/retry",
        body: { only: "remaining", set: { concurrency: 2 } },
      }),
    );
  });

  test("does not offer what would do nothing", async () => {
    served({
      "/runs/demo_1/retry": (call: Call) =>
        (call.body as { only: string }).only === "all"
          ? { kept: 0, repeated: 0, left: 500 }
          : { kept: 500, repeated: 0, left: 0 },
    });
    show(<RetryDialog run={aRun({ status: "completed" })} kind={kind} onClose={() => {}} />);

    expect(await screen.findAllByText("none")).toHaveLength(2);
    expect(screen.getByLabelText(/Run everything again/)).toBeChecked();
    expect(screen.getByLabelText(/Retry failed/)).toBeDisabled();
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

test("an item that an interrupted attempt began carries a mark with its meaning", () => {
  const item = { ...aRow(1), attempt: 2, starts: 2, possible_duplicate: true } as never;
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

  expect(screen.getByTitle(/effects outside may have happened twice/)).toHaveTextContent("begun twice");
});
