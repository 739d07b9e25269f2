import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StopDialog } from "@/components/fleet/StopDialog";
import { aRun } from "@/components/run/fixtures";
import { type Call, served, show, stuckReport } from "@/components/run/stage";
import { fleet } from "@/live/fleet";
import { useFleet } from "@/live/hooks";
import { onNotice } from "@/live/notices";

afterEach(() => vi.unstubAllGlobals());

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

  // rows: S2.87
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

    await waitFor(() => expect(said).toEqual(["Stopping 1 run. other woke up and was left alone."]));
    expect(calls.find(({ path }) => path === "/api/controls")?.body).toEqual({
      control: "cancel",
      run_ids: ["a"],
      versions: { a: "1-running-" },
    });
    stop();
  });

  test("names a run that woke up, though the list has lost it meanwhile", async () => {
    served({ "/stuck": stuckReport(one), "/controls": answer });
    fleet.take([
      { type: "run", data: one },
      { type: "run", data: other },
    ]);
    const said: (string | undefined)[] = [];
    const stop = onNotice((notice) => said.push(notice.detail));
    function Page() {
      const { runs } = useFleet();
      return <StopDialog runs={runs.filter((run) => run.stuck)} stuck onClose={() => {}} />;
    }
    show(<Page />);
    await screen.findByText("Stop 2 runs");
    act(() => fleet.take([{ type: "run", data: { ...other, stuck: false, head: other.head + 1 } }]));

    await userEvent.click(await screen.findByText("Stop 1 run"));

    await waitFor(() => expect(said).toEqual(["other woke up and was left alone."]));
    stop();
  });

  test("a run that moved on before the stop woke up, and every refusal is told", async () => {
    const runs = ["d", "e", "f"].map((id) => aRun({ id, name: id.toUpperCase(), stuck: true }));
    const refusals = {
      d: { code: "changed", message: "Run D has moved on." },
      e: { code: "forbidden", message: "E is not yours." },
      f: { code: "forbidden", message: "F is not yours." },
    };
    const answers = Object.entries(refusals).map(([run_id, error]) => ({ run_id, error }));
    served({ "/stuck": stuckReport(...runs), "/controls": { answers } });
    fleet.take(runs.map((data) => ({ type: "run" as const, data })));
    const said: unknown[] = [];
    const stop = onNotice(({ level, text, detail }) => said.push([level, text, detail]));
    show(<StopDialog runs={runs} stuck onClose={() => {}} />);

    await userEvent.click(await screen.findByText("Stop 3 runs"));

    const told = "D woke up and was left alone. E is not yours. F is not yours.";
    await waitFor(() => expect(said).toEqual([["error", "Nothing was stopped.", told]]));
    stop();
  });

  test("sends nothing when all of them woke up", async () => {
    const calls = served({ "/stuck": stuckReport(), "/controls": answer });
    fleet.take([{ type: "run", data: one }]);
    const said: string[] = [];
    const stop = onNotice((notice) => said.push(notice.text));
    show(<StopDialog runs={[one]} stuck onClose={() => {}} />);

    await userEvent.click(await screen.findByText("Stop 1 run"));

    await waitFor(() => expect(said).toEqual(["Nothing was stopped."]));
    expect(calls.some(({ path }) => path === "/api/controls")).toBe(false);
    stop();
  });
});
