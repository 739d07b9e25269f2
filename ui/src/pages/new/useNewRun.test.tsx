import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { A_KIND } from "@/components/run/fixtures";
import { show } from "@/components/run/stage";
import { useNewRun } from "@/pages/new/useNewRun";

afterEach(() => vi.unstubAllGlobals());

test("a start whose answer was lost is sent again with the same key", async () => {
  const sent: (string | undefined)[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (path.endsWith("dry_run=1")) return Response.json({});
    sent.push((init.headers as Record<string, string>)["Idempotency-Key"]);
    throw new TypeError("the line is cut");
  });
  function Page() {
    const { submit, generalError } = useNewRun(A_KIND, {});
    return (
      <button type="button" onClick={submit}>
        Start {generalError}
      </button>
    );
  }
  show(<Page />);

  for (const tries of [1, 2]) {
    await userEvent.click(await screen.findByText(/Start/));
    await waitFor(() => expect(sent).toHaveLength(tries));
    await screen.findByText(/cannot be reached/);
  }

  expect(sent[0]).toBeTruthy();
  expect(sent[1]).toBe(sent[0]);
});
