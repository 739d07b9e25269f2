/** A page and its server for tests. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import type { Run } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";

export interface Call {
  path: string;
  body: unknown;
}

/** A server that answers by the beginning of a path, and what was asked of it. */
export function served(answers: Record<string, unknown>): Call[] {
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

/** A page that shows this and nothing else. */
export function show(what: ReactNode) {
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

/** What `/stuck` answers when these runs do not move. */
export const stuckReport = (...runs: Run[]) => ({
  stuck: runs.map((run) => ({
    run,
    seconds: 245,
    limit: 180,
    cause: "the process is alive and idle (0% of a core)",
    version: `${run.attempt}-running-`,
  })),
  waiting: [],
});
