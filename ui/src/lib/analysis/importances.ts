/** How much each param matters, as metrics of one prefix say it. */

import type { MetricValue } from "@/api/types";

export interface Importance {
  readonly name: string;
  readonly share: number;
}

/** The highest first; values that are no numbers are left out. */
export function importances(
  metrics: Readonly<Record<string, MetricValue>>,
  prefix: string,
): readonly Importance[] {
  return Object.entries(metrics)
    .flatMap(([name, share]) =>
      name.startsWith(prefix) && typeof share === "number"
        ? [{ name: name.slice(prefix.length), share }]
        : [],
    )
    .sort((a, b) => b.share - a.share || a.name.localeCompare(b.name));
}
