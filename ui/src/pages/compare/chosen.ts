/** Which runs are compared and how, as the address of the page says it. */

import type { Kind, RunHeader } from "@/api/types";
import type { Search } from "@/lib/search";

/** A chart has a colour and a dash of its own for so many lines. */
export const MOST_RUNS = 6;
const AT_FIRST = 3;

export interface Chosen {
  kind: string;
  metric: string;
  runs: readonly string[];
}

/** What the address asks for; what it leaves out is the newest kind, its headline, and the newest runs with it. */
export function chosenOf(search: Search, kinds: readonly Kind[], runs: readonly RunHeader[]): Chosen {
  const usable = kinds.filter(({ metrics }) => metrics.length > 0);
  const newest = runs.find((run) => usable.some(({ name }) => name === run.kind))?.kind;
  const kind = usable.find(({ name }) => name === (search.kind ?? newest ?? "training")) ?? usable[0];
  const metric =
    kind?.metrics.find(({ name }) => name === (search.metric ?? kind.headline)) ?? kind?.metrics[0];
  const ofKind = runs.filter((run) => run.kind === kind?.name);
  const asked = search.runs?.split(",").filter((id) => id !== "");
  const drawn = ofKind.filter((run) => metric && run.metrics[metric.name] !== undefined);
  return {
    kind: kind?.name ?? "",
    metric: metric?.name ?? "",
    runs: (asked ?? drawn.slice(0, AT_FIRST).map(({ id }) => id)).slice(0, MOST_RUNS),
  };
}

/** The runs after a click on one: added at the end, or taken away. */
export function toggled(runs: readonly string[], id: string): readonly string[] {
  return runs.includes(id) ? runs.filter((one) => one !== id) : [...runs, id].slice(0, MOST_RUNS);
}

/** The best value of a metric among runs; null where the metric knows no better and worse. */
export function bestOf(runs: readonly RunHeader[], kind: Kind, name: string): number | null {
  const goal = kind.metrics.find((metric) => metric.name === name)?.goal;
  const values = runs.map((run) => run.metrics[name]).filter((value) => typeof value === "number");
  if (!goal || values.length < 2) return null;
  return goal === "min" ? Math.min(...values) : Math.max(...values);
}
