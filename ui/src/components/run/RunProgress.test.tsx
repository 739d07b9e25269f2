import { screen } from "@testing-library/react";
import { FailureCard } from "@/components/run/FailureCard";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { RunProgress } from "@/components/run/RunProgress";
import { served, show } from "@/components/run/stage";

const none = { done: 0, failed: 0, reused: 0, total: null, marks: [], groups: {} };

afterEach(() => vi.unstubAllGlobals());

test("a run that waits says its place in line, and counts nothing", async () => {
  served({});
  const run = aRun({ status: "queued", attempt: 0, started_at: null, progress: none });
  show(<RunProgress run={run} kind={A_KIND} remaining={null} isStale={false} />);

  expect(await screen.findByText("Waiting to begin, next in line")).toBeVisible();
  expect(screen.queryByText("Done well")).toBeNull();
});

test("a run that ended without a total has done what it has done", async () => {
  served({});
  const run = aRun({ status: "completed", progress: { ...none, done: 1, total: null } });
  show(<RunProgress run={run} kind={A_KIND} remaining={null} isStale={false} />);

  expect(await screen.findByText("1 test done")).toBeVisible();
});

test("the last lines of a command that failed are in sight", async () => {
  served({});
  const failure = { message: "The command ended with exit code 1.", tail: "ValueError: row 12 has no label" };
  const run = aRun({ kind: "script", status: "failed", progress: none, failure: failure as never });
  show(<FailureCard run={run} kind={{ ...A_KIND, name: "script" }} onLogs={() => {}} retry={null} />);

  expect(await screen.findByText(/row 12 has no label/)).toBeVisible();
});
