import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { cn } from "@/lib/cn";
import type { RunUrl, Tab } from "@/pages/run/useRunUrl";

const LABELS: Record<Tab, string> = {
  overview: "Overview",
  activity: "Activity",
  results: "Results",
  metrics: "Metrics",
  logs: "Logs",
  files: "Files",
  params: "Params",
  who: "Who",
};

/** How much of the tab before the open one stays in view on phones. */
const PEEK_PX = 80;

export interface RunTabsProps {
  tabs: readonly Tab[];
  url: RunUrl;
  files: number;
}

/** Every tab is a link. */
export function RunTabs({ tabs, url, files }: RunTabsProps) {
  const base = `/runs/${encodeURIComponent(url.runId)}`;
  const nav = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the open tab is the one marked in the document
  useEffect(() => {
    const open = nav.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (nav.current && open) nav.current.scrollLeft = open.offsetLeft - nav.current.offsetLeft - PEEK_PX;
  }, [url.tab]);
  return (
    <nav
      ref={nav}
      aria-label="Parts of the run"
      className="sticky top-[calc(var(--bar)+3rem)] z-10 flex gap-1 overflow-x-auto border-line border-b bg-page [scrollbar-width:none]"
    >
      {tabs.map((tab) => (
        <Link
          key={tab}
          to={tab === "overview" ? base : `${base}/${tab}`}
          search={url.search as never}
          resetScroll={false}
          // Else the overview, where all tabs' addresses begin, is called the current one beside the open tab.
          activeOptions={{ exact: true, includeSearch: false }}
          aria-current={tab === url.tab ? "page" : undefined}
          className={cn(
            "-mb-px flex h-10 shrink-0 items-center gap-1.5 border-b-2 px-3 text-sm max-md:h-11",
            tab === url.tab
              ? "border-primary font-medium text-text"
              : "border-transparent text-text-2 hover:text-text",
          )}
        >
          {LABELS[tab]}
          {tab === "files" && files > 0 && (
            <span className="rounded-full bg-track px-1.5 text-2xs text-text-2">{files}</span>
          )}
        </Link>
      ))}
    </nav>
  );
}
