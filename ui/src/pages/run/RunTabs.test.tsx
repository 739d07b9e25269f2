import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import { RunTabs } from "@/pages/run/RunTabs";
import { type RunUrl, TABS } from "@/pages/run/useRunUrl";

test("one tab is the current one", async () => {
  vi.stubGlobal("scrollTo", () => {});
  const url = { runId: "r1", tab: "files", search: {} } as never as RunUrl;
  const component = () => <RunTabs tabs={TABS} url={url} files={3} />;
  const history = createMemoryHistory({ initialEntries: ["/runs/r1/files"] });
  const router = createRouter({
    routeTree: createRootRoute({ component, notFoundComponent: () => null }),
    history,
  });
  render(<RouterProvider router={router as never} />);

  const tabs = await screen.findAllByRole("link");
  const current = tabs.filter((tab) => tab.getAttribute("aria-current") === "page");

  expect(current.map((tab) => tab.textContent)).toEqual(["Files3"]);
  vi.unstubAllGlobals();
});
