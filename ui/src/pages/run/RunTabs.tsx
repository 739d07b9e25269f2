import { Link } from "@tanstack/react-router";
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

export interface RunTabsProps {
  tabs: readonly Tab[];
  url: RunUrl;
  files: number;
}

/** Every tab is a link. */
export function RunTabs({ tabs, url, files }: RunTabsProps) {
  const base = `/runs/${encodeURIComponent(url.runId)}`;
  return (
    <nav
      aria-label="Parts of the run"
      className="sticky top-[calc(var(--bar)+3rem)] z-10 flex gap-1 overflow-x-auto border-line border-b bg-page [scrollbar-width:none]"
    >
      {tabs.map((tab) => (
        <Link
          key={tab}
          to={tab === "overview" ? base : `${base}/${tab}`}
          search={url.search as never}
          resetScroll={false}
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
