/** The metrics of one run in the browser, thinned when they grow long. */

import type { MetricValue } from "@/api/types";
import { finite, type Point, SCREEN_POINTS, type SeriesMap, thin } from "@/lib/analysis/series";

/** Live points collect up to this before a line is thinned again. */
const MOST_POINTS = 2 * SCREEN_POINTS;
const NON_FINITE: ReadonlySet<unknown> = new Set(["NaN", "Infinity", "-Infinity"]);

export class SeriesTable {
  #series = new Map<string, Point[]>();

  clear(): void {
    this.#series.clear();
  }

  load(series: Record<string, readonly (readonly [number, MetricValue])[]>): void {
    for (const [name, points] of Object.entries(series)) {
      const known = this.#series.get(name) ?? [];
      const numbers = points.filter(([, value]) => isNumeric(value));
      if (numbers.length === 0) continue;
      this.#series.set(
        name,
        numbers.map(([step, value]) => [step, finite(value)]),
      );
      for (const point of known) this.#add(name, point);
    }
  }

  /** One metric event; a step that is known already is overwritten. Words are no points. */
  add(step: number, values: Readonly<Record<string, MetricValue>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (isNumeric(value)) this.#add(name, [step, finite(value)]);
    }
  }

  snapshot(): SeriesMap {
    return new Map([...this.#series].map(([name, points]) => [name, [...points]]));
  }

  #add(name: string, point: Point): void {
    const points = this.#series.get(name);
    if (points === undefined) {
      this.#series.set(name, [point]);
      return;
    }
    const at = points.findLastIndex(([step]) => step <= point[0]);
    const isKnown = points[at]?.[0] === point[0];
    points.splice(isKnown ? at : at + 1, isKnown ? 1 : 0, point);
    if (points.length > MOST_POINTS) this.#series.set(name, [...thin(points)]);
  }
}

function isNumeric(value: MetricValue): boolean {
  return value === null || typeof value === "number" || NON_FINITE.has(value);
}
