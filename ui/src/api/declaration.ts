/**
 * What a kind declares about itself, as `pilothouse/sdk/kind.py` and
 * `pilothouse/sdk/panels.py` have it. The comments on panels are there.
 */

import type { Schema } from "@/api/schema";
import type { JsonObject } from "@/api/types";

export type Format =
  | "text"
  | "number"
  | "integer"
  | "percent"
  | "seconds"
  | "milliseconds"
  | "money"
  | "bytes"
  | "boolean"
  | "json";

export type Goal = "max" | "min";

export interface Column {
  name: string;
  label: string;
  format: Format;
  shown: boolean;
  filter: boolean;
}

export interface Metric {
  name: string;
  label: string;
  format: Format;
  goal: Goal | null;
  limit: number | null;
  warn: number | null;
}

export type Panel =
  | { type: "Stats"; title: string; metrics: string[] }
  | { type: "Heatmap"; title: string; rows: string; columns: string; value: string }
  | { type: "Confusion"; title: string; truth: string; predicted: string; correct: string; by: string[] }
  | { type: "Breakdown"; title: string; by: string; value: string; hardest_first: boolean }
  | { type: "Meter"; title: string; metric: string; finish_param: string | null }
  | { type: "Curve"; title: string; metrics: string[]; log: boolean }
  | { type: "Distribution"; title: string; value: string; format: Format; by: string | null }
  | {
      type: "Gauges";
      title: string;
      metrics: string[];
      groups: [heading: string, size: number][];
      phase: string | null;
    }
  | { type: "Comparison"; title: string; value: string; phase: string | null }
  | { type: "Correlations"; title: string; value: string; phase: string | null }
  | {
      type: "Plan";
      title: string;
      value: string;
      step: string;
      verdict: string;
      detail: string | null;
      kept: string | null;
      phase: string | null;
    }
  | { type: "BestSoFar"; title: string; value: string; goal: Goal }
  | {
      type: "Pareto";
      title: string;
      axes: [field: string, goal: Goal][];
      best: string | null;
      score?: string | null;
    }
  | { type: "ParallelCoordinates"; title: string; fields: string[]; value: string; goal: Goal }
  | { type: "Importances"; title: string; prefix: string }
  | { type: "Counts"; title: string; by: string[]; value: string | null }
  | { type: "Samples"; title: string; text: string[]; facts: string[]; verdict: string | null }
  | { type: "Checkpoints"; title: string; prefix: string; metric: string | null; goal: Goal }
  | { type: "Hardware"; title: string };

export interface Example {
  name: string;
  title: string;
  params: JsonObject;
}

/** What a kind declares about itself. */
export interface Kind {
  name: string;
  title: string;
  prefix: string;
  summary: string;
  unit: string;
  units: string;
  phases: string[];
  /** Every item goes through the phases: they are shown in hand, and are no news each time. */
  phases_of_items?: boolean;
  columns: Column[];
  metrics: Metric[];
  panels: Panel[];
  headline: string | null;
  live_params: string[];
  stuck_seconds: number;
  /** Whether its job may leave during a pause and come back as a new attempt. */
  can_release: boolean;
  params_schema: Schema;
  examples: Example[];
  /** Field of a finished item that says at which unit it ended; a run can go on behind any of them. */
  ends_at?: string | null;
  /** What the job needs beside the core; null when the core is enough. */
  extra: { name: string; command: string; missing: string[] } | null;
}
