import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { FilesView } from "@/components/run/FilesView";
import { aRun } from "@/components/run/fixtures";
import { show } from "@/components/run/stage";
import type { FeedEvent } from "@/lib/analysis/feed";
import { useFileCount } from "@/pages/run/useFileCount";
import type { RunData } from "@/pages/run/useRunData";

const file = (name: string) => ({ name, bytes: 10, sha256: "ab12", time: "2026-01-31T09:30:00.000Z" });
const news = (seq: number): FeedEvent => ({ seq, type: "file", text: "", time: "t" });
const data = (artifacts: number, feed: FeedEvent[]) =>
  ({ run: aRun({ artifacts }), feed }) as never as RunData;

afterEach(() => vi.unstubAllGlobals());

test("files that are still asked for are not an empty list", async () => {
  const asked: ((response: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => asked.push(resolve)));
  show(<FilesView runId="demo_1" />);
  await waitFor(() => expect(asked).toHaveLength(1));
  const atFirst = screen.queryByText("Files");

  asked[0]?.(Response.json({ artifacts: [file("a.csv")], removed: [] }));

  expect(await screen.findByText("a.csv")).toBeVisible();
  expect(atFirst).toBeNull();
});

test("the badge counts the files that are there, and not how often one was saved", async () => {
  const answers = [[file("a"), file("b")], [file("b")]];
  vi.stubGlobal("fetch", async () => Response.json({ artifacts: answers.shift(), removed: [] }));
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );

  const { result, rerender } = renderHook((props) => useFileCount(props), {
    wrapper,
    initialProps: data(5, [news(7)]),
  });
  await waitFor(() => expect(result.current).toBe(2));
  rerender(data(5, [news(7), news(9)]));

  await waitFor(() => expect(result.current).toBe(1));
});
