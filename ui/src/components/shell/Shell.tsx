import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button } from "@/components/base/Button";
import { Kbd } from "@/components/base/Kbd";
import { TooltipProvider } from "@/components/base/Tooltip";
import { Bell } from "@/components/shell/Bell";
import { Helm } from "@/components/shell/Brand";
import { ConnectionBanner } from "@/components/shell/ConnectionBanner";
import { ShellPill } from "@/components/shell/ConnectionPill";
import { LogBanner } from "@/components/shell/LogBanner";
import { BottomNav, RailNav, WordNav } from "@/components/shell/NavLinks";
import { PLACES } from "@/components/shell/nav";
import { ThemeSwitch } from "@/components/shell/ThemeSwitch";
import { ToastHost } from "@/components/shell/ToastHost";
import { useFleetNotices } from "@/components/shell/useFleetNotices";
import { useShortcuts } from "@/lib/keys";
import { patiently } from "@/lib/patiently";
import { useFleet } from "@/live/hooks";
import { useFleetTitle } from "@/live/title";

const CommandMenu = lazy(patiently(() => import("@/components/shell/CommandMenu")));
const KeySheet = lazy(patiently(() => import("@/components/shell/KeySheet")));

/** What stands around every page: navigation, connection, notices, search. */
export function Shell() {
  const [open, setOpen] = useState<"menu" | "keys" | null>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useShellKeys(setOpen);
  useFleetNotices();
  useFleetTitle(pageName(path), useFleet().running);

  return (
    <TooltipProvider>
      <a
        href="#content"
        className="sr-only rounded-md bg-card px-4 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-30 flex h-(--bar) items-center gap-2 border-line border-b bg-card px-4 md:gap-3 md:px-6">
        <Link to="/" className="mr-2 flex items-center gap-2.5 font-semibold text-lg tracking-tight lg:mr-5">
          <span className="text-primary">
            <Helm />
          </span>
          <span className="max-[22rem]:hidden">Pilothouse</span>
        </Link>
        <WordNav />
        <div className="ml-auto flex items-center gap-1 md:gap-2">
          <SearchButton onOpen={() => setOpen("menu")} />
          <ShellPill />
          <Bell />
          <ThemeSwitch />
        </div>
      </header>
      <ConnectionBanner />
      <LogBanner />
      <div className="flex">
        <RailNav />
        <main
          id="content"
          tabIndex={-1}
          className="min-w-0 grow p-4 pb-[calc(var(--foot)+1rem)] outline-none md:p-6"
        >
          <Outlet />
        </main>
      </div>
      <BottomNav />
      <ToastHost />
      <Suspense fallback={null}>
        {open === "menu" && <CommandMenu onClose={() => setOpen(null)} />}
        {open === "keys" && <KeySheet onClose={() => setOpen(null)} />}
      </Suspense>
    </TooltipProvider>
  );
}

function SearchButton({ onOpen }: { onOpen: () => void }) {
  return (
    <>
      <button
        type="button"
        onClick={onOpen}
        className="flex h-8 w-52 items-center gap-2 rounded-md border border-line-strong bg-surface px-2.5 text-sm text-text-3 hover:border-control-border max-lg:hidden"
      >
        <Search aria-hidden size={15} />
        Search
        <span className="ml-auto">
          <Kbd keys={IS_MAC ? "⌘K" : "Ctrl K"} />
        </span>
      </button>
      <Button
        look="ghost"
        className="lg:hidden"
        aria-label="Search"
        icon={<Search aria-hidden />}
        onClick={onOpen}
      />
    </>
  );
}

function useShellKeys(setOpen: (open: "menu" | "keys") => void): void {
  const navigate = useNavigate();
  useShortcuts("Everywhere", [
    { keys: "mod+k", label: "Search", run: () => setOpen("menu") },
    ...PLACES.map(({ to, label, keys }) => ({ keys, label, run: () => void navigate({ to }) })),
    { keys: "n", label: "New run", run: () => void navigate({ to: "/runs/new" }) },
    { keys: "t", label: "Newest toast", run: focusToast },
    { keys: "?", label: "Keys of this page", run: () => setOpen("keys") },
  ]);
}

const IS_MAC = /mac|iphone|ipad/i.test(navigator.platform);

const focusToast = () => document.querySelector<HTMLElement>("[data-sonner-toast]")?.focus();

function pageName(path: string): string {
  if (path === "/runs/new") return "New run";
  return PLACES.find(({ to }) => to === path)?.label ?? (path.startsWith("/runs") ? "Runs" : "Overview");
}
