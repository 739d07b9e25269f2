import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { keys } from "@/api/queries";
import { aRun } from "@/components/run/fixtures";
import { useEventLines } from "@/pages/run/useEventLines";

const TYPES = ["log"];
const line = (seq: number) => ({ run_id: "demo_1", seq, type: "log", time: "t", data: {} });

test.each([
  [3, true],
  [2, false],
])("of three lines %i are kept, and whether that is all is said", async (most, isWhole) => {
  vi.stubGlobal("fetch", async () => Response.json({ events: [line(1), line(2), line(3)] }));
  const client = new QueryClient();
  client.setQueryData(keys.run("demo_1"), aRun());
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );

  const { result } = renderHook(() => useEventLines("demo_1", TYPES, 10, most), { wrapper });

  await waitFor(() => expect(result.current.isReady).toBe(true));
  expect(result.current.events).toHaveLength(most);
  expect(result.current.isWhole).toBe(isWhole);
  vi.unstubAllGlobals();
});
