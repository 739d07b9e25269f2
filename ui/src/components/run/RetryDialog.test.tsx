import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { RetryDialog } from "@/components/run/RetryDialog";
import { type Call, served, show } from "@/components/run/stage";

afterEach(() => vi.unstubAllGlobals());

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

  test("sends the same key again when the answer was lost, and another one with other params", async () => {
    const sent: (string | undefined)[] = [];
    served({ "/runs/demo_1/retry": retries });
    const answer = globalThis.fetch;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (path.endsWith("dry_run=1")) return answer(path, init);
      sent.push((init.headers as Record<string, string>)["Idempotency-Key"]);
      throw new TypeError("the line is cut");
    });
    show(<RetryDialog run={aRun({ status: "failed" })} kind={kind} onClose={() => {}} />);
    await screen.findByText("290 tests");

    for (const tries of [1, 2]) {
      await userEvent.click(screen.getByText("Start retry"));
      await waitFor(() => expect(sent).toHaveLength(tries));
      await screen.findByText("Start retry");
    }
    await userEvent.click(screen.getByLabelText(/Retry failed/));
    await userEvent.click(screen.getByText("Start retry"));

    await waitFor(() => expect(sent).toHaveLength(3));
    expect(sent[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(sent[1]).toBe(sent[0]);
    expect(sent[2]).not.toBe(sent[0]);
  });

  test("says why the server cannot count", async () => {
    vi.stubGlobal("fetch", async () =>
      Response.json({ error: { code: "not_found", message: "No kind is called demo." } }, { status: 404 }),
    );
    show(<RetryDialog run={aRun({ status: "failed" })} kind={kind} onClose={() => {}} />);

    expect(await screen.findByText("No kind is called demo.")).toBeInTheDocument();
    await waitFor(() => expect(screen.queryByText("…")).toBeNull());
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
