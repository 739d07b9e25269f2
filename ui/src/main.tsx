import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, isAway, onSignedOut } from "@/api/client";
import { applyLooks, followLooks } from "@/lib/settings";
import { startLive } from "@/live/start";
import { router } from "@/pages/router";
import "@/styles/app.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // A refusal stays a refusal; a server out of reach is asked until it answers.
      retry: (failures, error) => isAway(error) || (failures < 3 && !(error instanceof ApiError)),
      retryDelay: (failures) => Math.min(300 * 2 ** failures, 5_000),
    },
  },
});

applyLooks();
followLooks();

if (location.pathname !== "/login") startLive(client);
onSignedOut(() => {
  if (location.pathname !== "/login")
    void router.navigate({ to: "/login", search: { next: location.pathname } });
});

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
