/** A run and a kind for tests. */

import type { Kind, Run } from "@/api/types";

export function aRun(changes: Partial<Run> = {}): Run {
  return {
    id: "demo_1",
    number: 1,
    kind: "demo",
    name: "prompt-tuning-oct",
    owner: "ana",
    params: {},
    created_at: "2026-01-31T09:30:00.000Z",
    epoch: "e",
    tags: [],
    priority: 0,
    retry_of: null,
    status: "running",
    pending: null,
    request: null,
    attempt: 1,
    crashes: 0,
    head: 10,
    strength: null,
    paused_by: null,
    progress: { done: 200, failed: 3, reused: 0, total: 500, marks: [], groups: {} },
    phase: null,
    current: "a × b",
    metrics: {},
    started_at: "2026-01-31T09:30:00.000Z",
    ended_at: null,
    active_seconds: 200,
    active_since: null,
    last_event_at: null,
    stuck: false,
    ended_by: null,
    failure: null,
    notice: null,
    host: null,
    artifacts: 0,
    ...changes,
  };
}

export const A_KIND: Kind = {
  name: "demo",
  title: "Demo",
  prefix: "demo",
  summary: "",
  unit: "test",
  units: "tests",
  phases: [],
  columns: [
    { name: "model", label: "Model", format: "text", shown: true, filter: true },
    { name: "correct", label: "OK", format: "boolean", shown: true, filter: true },
  ],
  metrics: [],
  panels: [],
  headline: null,
  live_params: [],
  stuck_seconds: 180,
  params_schema: {},
  examples: [],
};
