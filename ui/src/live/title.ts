/** The tab's title and favicon: state first, because tab strips cut the right side. */

import { useEffect, useSyncExternalStore } from "react";
import type { RunHeader, Status } from "@/api/types";
import { timeOfDay, wholePercent } from "@/lib/format";
import { drawFavicon, restFavicon } from "@/live/favicon";
import { onConnection, readConnection } from "@/live/wire";

const MARKS: Partial<Record<Status, string>> = { completed: "✓", failed: "✕", cancelled: "⊘" };
const LOST = new Set(["reconnecting", "offline"]);
const REDRAW_MS = 1000;

/** The words of a run's tab, such as `40% 3✕ · prompt-tuning-oct`. */
export function runTitle(run: RunHeader, lost = false): string {
  const mark = MARKS[run.status];
  if (mark) return `${mark} · ${run.name}`;
  if (lost) return `… reconnecting · ${run.name}`;
  if (run.pending === "cancel") return `⊘ cancelling · ${run.name}`;
  if (run.stuck) return `▲ stuck · ${run.name}`;
  if (run.status === "queued") return `${run.attempt > 0 ? "⟳ resuming" : "○ queued"} · ${run.name}`;
  const { done, failed, total } = run.progress;
  const percent = wholePercent(done, total);
  const far = percent === null ? `${done}` : `${percent}%`;
  const errors = failed > 0 ? ` ${failed}✕` : "";
  if (run.status !== "paused") return `${far}${errors} · ${run.name}`;
  const until = run.until ? ` until ${timeOfDay(run.until).slice(0, 5)}` : "";
  return `‖ ${far}${errors}${until} · ${run.name}`;
}

let open: { title: string; running: number } = { title: "Pilothouse", running: 0 };
let holders = 0;

/** The tab's title and favicon follow this run while the component is mounted. */
export function useTitle(run: RunHeader | null): void {
  const lost = useSyncExternalStore(onConnection, () => LOST.has(readConnection().state));
  const title = run ? runTitle(run, lost) : null;
  const percent = run ? (wholePercent(run.progress.done, run.progress.total) ?? -1) : -1;
  const status = run?.status ?? null;
  const isStuck = run?.stuck ?? false;

  useEffect(() => {
    if (!status) return;
    holders += 1;
    return () => {
      holders -= 1;
      if (holders > 0) return;
      document.title = open.title;
      restFavicon();
    };
  }, [status]);

  useEffect(() => {
    if (title) document.title = title;
  }, [title]);

  useEffect(() => {
    if (!status) return;
    const timer = setTimeout(() => drawFavicon(status, percent, isStuck), REDRAW_MS / 4);
    return () => clearTimeout(timer);
  }, [status, percent, isStuck]);
}

/** The title of every other page: `(3) Pilothouse`, and the count on the installed app's icon. */
export function useFleetTitle(page: string, running: number): void {
  useEffect(() => {
    const count = running > 0 ? `(${running}) ` : "";
    open = { title: `${count}${page === "Overview" ? "" : `${page} · `}Pilothouse`, running };
    if (holders === 0) document.title = open.title;
    const badge = navigator as Navigator & { setAppBadge?: (count: number) => Promise<void> };
    badge.setAppBadge?.(running).catch(() => {}); // Only installed apps have a badge.
  }, [page, running]);
}
