/**
 * What the server sends, exactly as docs/reference/protocol.md has it.
 *
 * Types only: every layer may import this file.
 */

export type { Column, Example, Format, Goal, Kind, Metric, Panel } from "@/api/declaration";
export type { Schema } from "@/api/schema";

export type Status = "queued" | "running" | "paused" | "completed" | "failed" | "cancelled";
export type Control = "pause" | "resume" | "cancel";
export type Strength = "hold" | "release";
export type FeedType = "planned" | "training" | "metrics" | "error" | "backup" | "control" | "file";
export type LogLevel = "debug" | "info" | "warning" | "error";
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
/** NaN and the infinities travel as words: bare ones are not JSON. */
export type MetricValue = number | string | null;

export interface Group {
  total: number;
  done: number;
  seconds: number;
}

export interface Progress {
  /** Finished items, the failed ones included. */
  done: number;
  failed: number;
  /** Finished items whose results came from the run that this one retries. */
  reused: number;
  /** Null while unknown. */
  total: number | null;
  /** Pairs (done, active seconds), oldest first. */
  marks: [number, number][];
  groups: Record<string, Group>;
}

export interface Phase {
  name: string;
  index: number | null;
  of: number | null;
}

export interface ControlRequest {
  control: Control;
  actor: string;
  time: string;
  reason: string | null;
  strength: Strength;
  force: boolean;
  /** When the pause that is asked for ends by itself. */
  until: string | null;
}

export interface Failure {
  reason: string;
  message: string;
  hint: string | null;
  where: string | null;
  exit_code: number | null;
  signal: number | null;
  tail: string | null;
}

/** A run without its params: what lists and the fleet carry. */
export interface RunHeader {
  id: string;
  number: number;
  kind: string;
  name: string;
  owner: string;
  created_at: string;
  epoch: string;
  tags: string[];
  priority: number;
  retry_of: string | null;
  status: Status;
  /** The control that was asked for and is not yet obeyed. */
  pending: Control | null;
  request: ControlRequest | null;
  attempt: number;
  crashes: number;
  head: number;
  strength: Strength | null;
  paused_by: string | null;
  /** Why it was paused or cancelled, in the words of whoever did it. */
  reason: string | null;
  /** When the pause ends by itself; null: when somebody resumes it. */
  until: string | null;
  /** Back-off before the next attempt may begin, counted from `last_event_at`. */
  wait_seconds: number;
  progress: Progress;
  phase: Phase | null;
  current: string | null;
  metrics: Record<string, MetricValue>;
  started_at: string | null;
  ended_at: string | null;
  active_seconds: number;
  active_since: string | null;
  last_event_at: string | null;
  /** `seq` of the last event that changed the status, the pending control or `stuck`. */
  turned: number;
  /** `seq` of the last item, phase, metric, progress or start of an attempt. */
  moved: number;
  stuck: boolean;
  stuck_cause: string | null;
  /** Processes that outlive a cancel; null unless it is overdue. */
  survivors: number | null;
  ended_by: string | null;
  failure: Failure | null;
  notice: string | null;
  host: string | null;
  artifacts: number;
  /** The process that made the run executes it; hosts leave it alone. */
  attached: boolean;
}

export interface Run extends RunHeader {
  params: JsonObject;
}

/** The `data` of each event type, as `pilothouse/model/event.py` declares it. */
export interface EventData {
  "run.queued": {
    number: number;
    kind: string;
    name: string;
    owner: string;
    params: JsonObject;
    tags: string[];
    priority: number;
    retry_of: string | null;
    epoch: string;
    attached: boolean;
  };
  "run.started": { attempt: number; host: string | null; instance?: string | null };
  "run.paused": {
    strength: Strength;
    actor: string | null;
    unclean: boolean;
    unasked: boolean;
    reason: string | null;
    until: string | null;
  };
  "run.resumed": { actor: string; reason: string | null };
  "run.completed": { message: string | null };
  "run.failed": Failure;
  "run.cancelled": { by: string; confirmed_dead: boolean; partial: boolean; reason: string | null };
  "run.interrupted": { reason: string; crash: boolean; in_flight: string[]; wait_seconds: number };
  "run.stuck": { seconds: number; cause: string | null };
  "run.recovered": Record<string, never>;
  "run.cancel_overdue": { survivors: number };
  "run.edited": { actor: string; name: string | null; tags: string[] | null };
  "run.notified": {
    channel: string;
    address: string;
    state: "sending" | "sent" | "failed";
    round: number;
    by: string;
    detail: string | null;
  };
  "control.requested": {
    control: "pause" | "cancel";
    actor: string;
    reason: string | null;
    strength: Strength;
    force: boolean;
    deadline: string | null;
    until: string | null;
  };
  "control.withdrawn": { actor: string };
  "params.changed": { actor: string; values: JsonObject };
  "phase.started": Phase;
  "phase.finished": Phase;
  "item.started": { key: string; label: string | null; ask: boolean };
  "item.finished": {
    possible_duplicate: boolean;
    key: string;
    ok: boolean;
    seconds: number;
    error: string | null;
    group: string | null;
    reused: boolean;
    data: JsonObject;
  };
  "item.judged": { key: string; verdict: Verdict | null; actor: string };
  metric: { step: number; values: Record<string, MetricValue> };
  progress: { done: number | null; total: number | null; groups: Record<string, number> };
  note: { feed: FeedType; text: string };
  log: { level: LogLevel; source: string; text: string };
  "artifact.saved": { name: string; bytes: number; sha256: string };
  "artifact.removed": { name: string; reason: string };
  "state.saved": { state: JsonObject };
  "guard.tripped": { rule: string; value: Json; text: string | null };
}

export type EventType = keyof EventData;

/** One fact of a log. Narrow on `type` and `data` follows. */
export type RunEvent = {
  [T in EventType]: { run_id: string; seq: number; type: T; time: string; data: EventData[T] };
}[EventType];

/** Frames without a place in a log. */
export type ServiceFrame =
  | {
      type: "hello";
      run_id?: string;
      data: { resumed_from?: number; head?: number; epoch: string; server_time: string; version?: string };
    }
  | { type: "gap"; run_id: string; data: { from: number; to: number; reason: string } }
  | { type: "reset"; run_id: string; data: { reason: string } }
  | { type: "bye"; data: { retry_ms: number } }
  | { type: "run"; run_id?: string; data: RunHeader }
  | { type: "run.deleted"; run_id?: string; data: { id: string } }
  | { type: "heartbeat"; data: Record<string, never> };

export type Frame = RunEvent | ServiceFrame;

export type ItemState = "in_flight" | "done" | "failed";

/** What a person says of a finished item by hand. */
export type Verdict = "keep" | "drop" | "flag";

export interface Judgement {
  verdict: Verdict;
  by: string;
  seq: number;
}

export interface Item {
  key: string;
  state: ItemState;
  seq: number;
  attempt: number;
  starts: number;
  seconds: number | null;
  error: string | null;
  data: JsonObject;
  label: string | null;
  time: string;
  /** An earlier attempt had it in hand when it ended. */
  possible_duplicate: boolean;
  judged: Judgement | null;
}

export interface ControlAnswer {
  run_id: string;
  status: Status;
  pending: Control | null;
  changed: boolean;
  event_seq: number | null;
  effective: "after_current_item" | "immediately";
}

/** What a resume or a retry would do, as the server counts it. */
export interface Preview {
  kept: number;
  repeated: number;
  /** Null: unknown, as are `seconds` and `cost`. */
  left: number | null;
  /** Units in all, where the numbers count units: it continues at unit `kept` + 1. */
  total?: number | null;
  seconds?: number | null;
  cost?: number | null;
}

/** The items a retry does again: those in error, those never done, or all. */
export type RetryOnly = "failed" | "remaining" | "all";

/** Runs that do not move, and queued ones that nobody can take. */
export interface StuckReport {
  stuck: { run: RunHeader; seconds: number; limit: number; cause: string | null; version: string }[];
  waiting: { run: RunHeader; cause: string }[];
}

export interface Artifact {
  name: string;
  bytes: number;
  sha256: string;
  time: string;
}

export interface RunsPage {
  runs: RunHeader[];
  total: number;
  before: number | null;
}

export interface ItemsPage {
  items: Item[];
  total: number;
  head: number;
  before: number | null;
}

export interface EventsPage {
  events: RunEvent[];
  head: number;
  epoch: string;
  /** These events right after the place are gone. */
  gap?: { from: number; to: number; reason: string };
  /** The place is none of this log: `events` begin at 1. */
  reset?: { reason: string };
  /** There are more of these events than one answer may hold. */
  cut?: true;
}

export interface MetricsPage {
  series: Record<string, [number, MetricValue][]>;
  head: number;
}

/** A host's machine and what does not change of it. */
export interface Machine {
  name: string;
  seen_at: string;
  facts: MachineFacts;
}

export interface MachineFacts {
  cores: number;
  memory_bytes: number;
  gpus: { index: number; name: string; memory_bytes: number | null }[];
}

/** What a machine was busy with, oldest first. */
export interface MachineLoad {
  name: string;
  facts: MachineFacts | Record<string, never>;
  samples: { time: string; values: Record<string, number> }[];
}

export interface DryRun {
  params: JsonObject;
  total: number | null;
  unit: string;
  units: string;
}

export interface ErrorBody {
  error: {
    code: string;
    message: string;
    hint?: string;
    field?: string;
    request_id?: string;
    status?: Status;
    allowed?: string[];
    errors?: { field: string; message: string }[];
  };
}

export const TERMINAL: ReadonlySet<Status> = new Set(["completed", "failed", "cancelled"]);
export const isTerminal = (status: Status): boolean => TERMINAL.has(status);
