import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { A_KIND } from "@/components/run/fixtures";
import { show } from "@/components/run/stage";
import { readDraft, saveDraft } from "@/pages/new/draft";
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

test("what the server refused is no longer said of what was changed since", async () => {
  vi.stubGlobal("fetch", async (path: string) =>
    path.endsWith("dry_run=1")
      ? Response.json({})
      : Response.json({ error: { code: "busy", message: "Not now." } }, { status: 409 }),
  );
  function Page() {
    const { submit, generalError, setName } = useNewRun(A_KIND, {});
    return (
      <>
        <button type="button" onClick={submit}>
          Start {generalError}
        </button>
        <button type="button" onClick={() => setName("other")}>
          Rename
        </button>
      </>
    );
  }
  show(<Page />);

  await userEvent.click(await screen.findByText(/Start/));
  await screen.findByText(/Not now/);
  await userEvent.click(screen.getByText("Rename"));

  await waitFor(() => expect(screen.queryByText(/Not now/)).toBeNull());
});

test("a look at another run's params leaves the draft as it was", () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async () => Response.json({}));
  saveDraft(A_KIND.name, { name: "mine", params: { cases: 50 } });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
  );

  renderHook(() => useNewRun(A_KIND, { cases: 1 }), { wrapper });
  act(() => void vi.advanceTimersByTime(5000));

  expect(readDraft(A_KIND.name)).toEqual({ name: "mine", params: { cases: 50 } });
  vi.useRealTimers();
});
