/**
 * Turn a log into a state: `run = fold(run, event)`.
 *
 * The same function as `pilothouse/model/fold.py`; `tests/golden/*.jsonl` keeps
 * the two identical. The server has checked every event it sends, so nothing is
 * refused here. An event that is not the next one leaves the run alone.
 */

import type { EventData, Run, RunEvent, RunHeader, Status } from "@/api/types";
import { isTerminal } from "@/api/types";
import { decimals } from "@/live/decimals";
import { countItem, tell } from "@/live/progress";

const LEADS_TO: Partial<Record<RunEvent["type"], Status>> = {
  "run.started": "running",
  "run.paused": "paused",
  "run.resumed": "running",
  "run.interrupted": "queued",
  "run.completed": "completed",
  "run.failed": "failed",
  "run.cancelled": "cancelled",
};

const STAYS: ReadonlySet<RunEvent["type"]> = new Set([
  "run.stuck",
  "run.recovered",
  "run.cancel_overdue",
  "control.requested",
  "control.withdrawn",
  "params.changed",
]);

/** What a user would call movement; without it for too long a run is stuck. */
const MOVES: ReadonlySet<RunEvent["type"]> = new Set([
  "item.started",
  "item.finished",
  "phase.started",
  "phase.finished",
  "metric",
  "progress",
  "run.started",
]);

/** Metrics that tell of the machine. A job that hangs uses it too. */
export const SYSTEM_PREFIX = "system/";

function isMovement(event: RunEvent): boolean {
  if (event.type !== "metric") return MOVES.has(event.type);
  const names = Object.keys(event.data.values);
  return names.length === 0 || !names.every((name) => name.startsWith(SYSTEM_PREFIX));
}

/** The state after `event`. */
export function fold(run: Run | null, event: RunEvent): Run {
  if (run === null) return create(event);
  if (event.seq !== run.head + 1) return run;
  const moved = isMovement(event) ? event.seq : run.moved;
  const seen = { head: event.seq, last_event_at: event.time, moved };
  if (event.type in LEADS_TO || STAYS.has(event.type)) {
    const changes = transition(run, event);
    const after = { ...run, ...seen, ...changes, ...stopwatch(run, changes.status, event.time) };
    const stays = after.status === run.status && after.request === run.request && after.stuck === run.stuck;
    const turned = stays ? run.turned : event.seq;
    return { ...after, turned, pending: after.request?.control ?? null };
  }
  return { ...run, ...seen, ...fact(run, event) };
}

function create(event: RunEvent): Run {
  if (event.type !== "run.queued") throw new Error(`a log begins with run.queued, not ${event.type}`);
  return {
    ...BLANK,
    ...event.data,
    id: event.run_id,
    created_at: event.time,
    last_event_at: event.time,
    head: event.seq,
    turned: event.seq,
  };
}

const BLANK = {
  status: "queued",
  pending: null,
  request: null,
  attempt: 0,
  crashes: 0,
  strength: null,
  paused_by: null,
  reason: null,
  until: null,
  wait_seconds: 0,
  progress: { done: 0, failed: 0, reused: 0, total: null, marks: [], groups: {} },
  phase: null,
  current: null,
  metrics: {},
  started_at: null,
  ended_at: null,
  active_seconds: 0,
  active_since: null,
  moved: 0,
  stuck: false,
  stuck_cause: null,
  survivors: null,
  ended_by: null,
  failure: null,
  notice: null,
  host: null,
  artifacts: 0,
} satisfies Partial<Run>;

type Changes = Partial<Run> & { status: Status };

function transition(run: Run, event: RunEvent): Changes {
  const status = LEADS_TO[event.type] ?? run.status;
  switch (event.type) {
    case "run.started": {
      const { attempt, host } = event.data;
      return { status, attempt, host, started_at: run.started_at ?? event.time, notice: null };
    }
    case "run.paused":
      return { status, ...paused(run, event.data) };
    case "run.resumed":
      return { status: run.strength === "release" ? "queued" : "running", notice: null, request: null };
    case "run.interrupted": {
      const { reason, crash, wait_seconds } = event.data;
      const crashes = run.crashes + (crash ? 1 : 0);
      return { status, notice: crash ? reason : null, request: null, crashes, wait_seconds };
    }
    case "run.failed":
      return { status, failure: event.data };
    case "run.cancelled":
      return { status, ended_by: event.data.by, reason: event.data.reason || run.request?.reason || null };
    case "control.requested":
      return { status, ...asked(run, event.data, event.time) };
    case "control.withdrawn":
      return { status, request: null };
    case "run.stuck":
      return { status, stuck: true, stuck_cause: event.data.cause };
    case "run.recovered":
      return { status, stuck: false, stuck_cause: null };
    case "run.cancel_overdue":
      return { status, survivors: event.data.survivors };
    case "params.changed":
      return { status, params: { ...run.params, ...event.data.values } };
    default:
      return { status };
  }
}

function asked(run: Run, said: EventData["control.requested"], time: string): Partial<Run> {
  const { deadline: _, ...request } = said;
  const isPause = request.control === "pause";
  const before = run.request ? run.request.until : run.until;
  // A pause that is made stronger keeps its end, or is given another.
  const until = request.until || (isPause ? before : null);
  const isHeld = isPause && run.status === "paused";
  return { request: { ...request, until, time }, until: isHeld ? until : run.until };
}

function paused(run: Run, said: EventData["run.paused"]): Partial<Run> {
  // A held pause is released: who paused it, and why, stays.
  if (run.status === "paused") return { request: null, strength: "release" };
  const { request } = run;
  const { actor, reason, until, unclean } = said;
  return {
    request: null,
    strength: run.status === "queued" || unclean ? "release" : said.strength,
    paused_by: actor || request?.actor || null,
    reason: reason || request?.reason || null,
    until: until || request?.until || null,
  };
}

/** Start or stop the stopwatch; clear what only a live run has. */
function stopwatch(run: Run, status: Status, time: string): Partial<Run> {
  const changes: Partial<Run> = {};
  if (status === "running") {
    if (run.active_since === null) changes.active_since = time;
  } else {
    changes.active_since = null;
    changes.active_seconds = activeSeconds(run, time);
    changes.current = null;
    changes.stuck = false;
    changes.stuck_cause = null;
  }
  if (status !== "queued") changes.wait_seconds = 0;
  if (run.status === "paused" && status !== "paused") {
    changes.strength = null;
    changes.paused_by = null;
    changes.until = null;
    if (status !== "cancelled") changes.reason = null;
  }
  if (isTerminal(status)) {
    changes.ended_at = time;
    changes.request = null;
    changes.strength = null;
    changes.survivors = null;
  }
  return changes;
}

/** A run's row and header carry them all: the log alone knows names beyond the first thousand. */
const MOST_METRICS = 1000;

function latest(known: Run["metrics"], values: Run["metrics"]): Run["metrics"] {
  const told = { ...known, ...values };
  if (Object.keys(told).length <= MOST_METRICS) return told;
  return Object.fromEntries(Object.entries(told).filter(([name]) => Object.hasOwn(known, name)));
}

function fact(run: Run, event: RunEvent): Partial<Run> {
  switch (event.type) {
    case "item.started":
      return { current: event.data.label || event.data.key };
    case "item.finished":
      return { progress: countItem(run.progress, event.data, activeSeconds(run, event.time)) };
    case "progress":
      return { progress: tell(run.progress, event.data, activeSeconds(run, event.time)) };
    case "phase.started":
      return { phase: event.data };
    case "metric":
      return { metrics: latest(run.metrics, event.data.values) };
    case "guard.tripped":
      return { notice: event.data.text || event.data.rule };
    case "artifact.saved":
      return { artifacts: run.artifacts + 1 };
    case "run.edited":
      return { name: event.data.name || run.name, tags: event.data.tags ?? run.tags };
    default:
      return {};
  }
}

/** Seconds the run has spent running up to `time`, without pauses and waits. */
export function activeSeconds(
  run: Pick<RunHeader, "active_since" | "active_seconds">,
  time: string | number,
): number {
  if (run.active_since === null) return run.active_seconds;
  const since = Math.max(0, (new Date(time).getTime() - new Date(run.active_since).getTime()) / 1000);
  return decimals(run.active_seconds + since, 3);
}
