import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { keys } from "@/api/queries";
import { aRun } from "@/components/run/fixtures";
import { useStack } from "@/pages/run/useStack";

test("a stack that did not come is waited for anew when it is asked for again", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (path: string) =>
    Response.json(path.endsWith("/stack") ? { after: 10 } : { events: [], head: 10, epoch: "e" }),
  );
  const client = new QueryClient();
  client.setQueryData(keys.run("demo_1"), aRun());
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const settle = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  const { result } = renderHook(() => useStack("demo_1"), { wrapper });

  act(() => result.current.ask());
  await settle(14_000);
  const atFirst = result.current.state;
  act(() => result.current.ask());
  await settle(1000);

  expect(atFirst).toBe("missing");
  expect(result.current.state).toBe("waiting");
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a log that the server refuses is the reason why no stack is shown", async () => {
  const unread = { error: { code: "forbidden", message: "This token may not read." } };
  vi.stubGlobal("fetch", async (path: string) =>
    path.endsWith("/stack") ? Response.json({ after: 10 }) : Response.json(unread, { status: 403 }),
  );
  const client = new QueryClient();
  client.setQueryData(keys.run("demo_1"), aRun());
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );

  const { result } = renderHook(() => useStack("demo_1"), { wrapper });

  await waitFor(() => expect(result.current.refusal).toBe("This token may not read."));
  vi.unstubAllGlobals();
});
