import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { keys } from "@/api/queries";
import { aRun } from "@/components/run/fixtures";
import { useSeries } from "@/pages/run/useSeries";

const client = new QueryClient();
client.setQueryData(keys.run("demo_1"), aRun());
const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={client}>{children}</QueryClientProvider>
);

test("a server that restarts while the page opens delays the lines and loses none", async () => {
  vi.useFakeTimers();
  const answers = [new Response(null, { status: 503 }), Response.json({ series: { loss: [[1, 3.1]] } })];
  vi.stubGlobal("fetch", async () => answers.shift());
  const { result } = renderHook(() => useSeries("demo_1"), { wrapper });
  await act(() => vi.advanceTimersByTimeAsync(1000));

  expect(result.current.series.get("loss")).toEqual([[1, 3.1]]);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a refusal is told, and gone when the lines come after all", async () => {
  const answers = [new Response(null, { status: 404 }), Response.json({ series: { loss: [[1, 3.1]] } })];
  vi.stubGlobal("fetch", async () => answers.shift());

  const { result } = renderHook(() => useSeries("demo_1"), { wrapper });
  await waitFor(() => expect(result.current.loading.error).toMatchObject({ status: 404 }));
  act(() => result.current.loading.reload());

  await waitFor(() => expect(result.current.series.get("loss")).toEqual([[1, 3.1]]));
  expect(result.current.loading.error).toBeNull();
  vi.unstubAllGlobals();
});
