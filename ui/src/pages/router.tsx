/** Every page and its address. Pages load when they are opened. */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { Skeleton } from "@/components/base/Skeleton";
import { Shell } from "@/components/shell/Shell";
import { patiently } from "@/lib/patiently";
import { parseSearch, type Search, stringifySearch } from "@/lib/search";
import { NotFound } from "@/pages/NotFound";
import { Overview } from "@/pages/overview/Overview";
import { PageError } from "@/pages/PageError";

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  notFoundComponent: NotFound,
});

const overview = createRoute({ getParentRoute: () => shell, path: "/", component: Overview });

const runs = createRoute({
  getParentRoute: () => shell,
  path: "/runs",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/runs/RunsPage")),
    "RunsPage",
  ),
});

const newRun = createRoute({
  getParentRoute: () => shell,
  path: "/runs/new",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/new/NewRunPage")),
    "NewRunPage",
  ),
});

/** One page for a run and all its tabs: changing the tab keeps everything else as it is. */
const run = createRoute({
  getParentRoute: () => shell,
  path: "/runs/$runId",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/run/RunPage")),
    "RunPage",
  ),
});
const runTabs = ["/", "$tab", "units/$unit"].map((path) =>
  createRoute({ getParentRoute: () => run, path: path as "$tab" }),
);

const compare = createRoute({
  getParentRoute: () => shell,
  path: "/compare",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/compare/ComparePage")),
    "ComparePage",
  ),
});

const demo = createRoute({
  getParentRoute: () => shell,
  path: "/demo",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/DemoPage")),
    "DemoPage",
  ),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/settings/SettingsPage")),
    "SettingsPage",
  ),
});

const anything = createRoute({ getParentRoute: () => shell, path: "$", component: NotFound });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(
    patiently(() => import("@/pages/login/LoginPage")),
    "LoginPage",
  ),
});

export const router = createRouter({
  routeTree: root.addChildren([
    shell.addChildren([overview, runs, newRun, run.addChildren(runTabs), compare, demo, settings, anything]),
    login,
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingMs: 150,
  defaultPendingComponent: () => <Skeleton className="h-40 w-full" />,
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
