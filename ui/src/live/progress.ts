/**
 * How far a run is, and an honest guess of how long it still takes.
 *
 * The same code as `pilothouse/model/progress.py`, which says why.
 */

import type { EventData, Group, Progress } from "@/api/types";
import { decimals } from "@/live/decimals";

const MIN_ITEMS = 3;
const MIN_SECONDS = 5;
const RECENT_ITEMS = 20;

type Marks = Progress["marks"];

/** Count one finished item at `active` seconds of running. */
export function countItem(progress: Progress, item: EventData["item.finished"], active: number): Progress {
  const done = progress.done + 1;
  return {
    ...progress,
    done,
    failed: progress.failed + (item.ok ? 0 : 1),
    reused: progress.reused + (item.reused ? 1 : 0),
    total: progress.total === null ? null : Math.max(progress.total, done),
    marks: mark(progress.marks, done, active),
    groups: countGroup(progress.groups, item),
  };
}

function countGroup(groups: Progress["groups"], item: EventData["item.finished"]): Progress["groups"] {
  const group = item.group === null || item.reused ? undefined : groups[item.group];
  if (item.group === null || !group) return groups;
  const counted = { ...group, done: group.done + 1, seconds: decimals(group.seconds + item.seconds, 6) };
  return { ...groups, [item.group]: counted };
}

/** Take what the job says of its total, groups and count. The count never goes back. */
export function tell(progress: Progress, told: EventData["progress"], active: number): Progress {
  const done = Math.max(progress.done, told.done ?? 0);
  const total = told.total ?? progress.total;
  const groups: Record<string, Group> = {};
  for (const [name, size] of Object.entries(told.groups))
    groups[name] = { ...(progress.groups[name] ?? { done: 0, seconds: 0 }), total: size };
  return {
    ...progress,
    done,
    total: total === null ? null : Math.max(total, done),
    marks: done > progress.done ? mark(progress.marks, done, active) : progress.marks,
    groups: Object.keys(groups).length > 0 ? groups : progress.groups,
  };
}

/**
 * Estimate the active seconds left.
 *
 * @param active Seconds the run has spent running so far.
 * @returns Seconds, or null without a total, before 3 items or before 5 seconds:
 *   better no number than a wild one.
 */
export function etaSeconds(progress: Progress, active: number): number | null {
  const fresh = progress.done - progress.reused;
  if (progress.total === null || fresh < MIN_ITEMS || active < MIN_SECONDS) return null;
  const left = progress.total - progress.done;
  const overall = active / fresh;
  return grouped(progress, active) ?? (left * (overall + recent(progress, active, overall))) / 2;
}

/** Seconds per item over the last max(20, 25 %) items, read from the marks. */
function recent(progress: Progress, active: number, overall: number): number {
  const begin = progress.done - Math.max(RECENT_ITEMS, Math.floor((progress.done - progress.reused) / 4));
  if (begin <= progress.reused) return overall;
  const before = progress.marks.findLast(([done]) => done <= begin);
  if (!before) return overall;
  return (active - before[1]) / (progress.done - before[0]);
}

/** The rest summed by group, or null where the groups do not tell the whole. */
function grouped(progress: Progress, active: number): number | null {
  const groups = Object.values(progress.groups);
  const done = groups.reduce((sum, group) => sum + group.done, 0);
  const seconds = groups.reduce((sum, group) => sum + group.seconds, 0);
  if (groups.length < 2 || done === 0 || seconds <= 0 || done !== progress.done) return null;
  const mean = seconds / done;
  const rest = groups.reduce(
    (sum, group) => sum + (group.total - group.done) * (group.done ? group.seconds / group.done : mean),
    0,
  );
  return rest / (seconds / active);
}

/** Add a mark when a 32nd part was done since the last; forget those before the last half. */
function mark(marks: Marks, done: number, active: number): Marks {
  const last = marks.at(-1);
  if (last && done - last[0] < Math.max(1, Math.floor(done / 32))) return marks;
  const old = Math.min(Math.floor(done / 2), done - 2 * RECENT_ITEMS);
  let first = 0;
  while ((marks[first + 1]?.[0] ?? Number.POSITIVE_INFINITY) <= old) first += 1;
  return [...marks.slice(first), [done, decimals(active, 3)]];
}
