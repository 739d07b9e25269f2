/** Series of metrics: points in the order of their steps, thinned for the screen. */

export type Point = readonly [step: number, value: number | null];
export type SeriesMap = ReadonlyMap<string, readonly Point[]>;

export const SCREEN_POINTS = 2_000;

/** A value that is not finite is a gap in its line. */
export function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/**
 * Largest-triangle-three-buckets: at most `limit` points that look like all of
 * them. First and last stay, and so do spikes. Gaps are kept out of the contest.
 */
export function thin(points: readonly Point[], limit = SCREEN_POINTS): readonly Point[] {
  if (points.length <= limit || limit < 3) return points;
  const first = points[0] as Point;
  const kept: Point[] = [first];
  const size = (points.length - 2) / (limit - 2);
  let anchor = first;
  for (let bucket = 0; bucket < limit - 2; bucket += 1) {
    const from = Math.floor(bucket * size) + 1;
    const to = Math.floor((bucket + 1) * size) + 1;
    const next = meanOf(points.slice(to, Math.min(points.length, Math.floor((bucket + 2) * size) + 1)));
    anchor = largest(points.slice(from, to), anchor, next);
    kept.push(anchor);
  }
  kept.push(points[points.length - 1] as Point);
  return kept;
}

function meanOf(points: readonly Point[]): readonly [number, number] {
  const size = Math.max(1, points.length);
  const sum = points.reduce<[number, number]>((total, [x, y]) => [total[0] + x, total[1] + (y ?? 0)], [0, 0]);
  return [sum[0] / size, sum[1] / size];
}

function largest(points: readonly Point[], [ax, ay]: Point, [nx, ny]: readonly [number, number]): Point {
  let best = points[0] as Point;
  let bestArea = -1;
  for (const point of points) {
    const [x, y] = point;
    const area = Math.abs((ax - nx) * ((y ?? 0) - (ay ?? 0)) - (ax - x) * (ny - (ay ?? 0)));
    if (area > bestArea) [best, bestArea] = [point, area];
  }
  return best;
}

/** Series on one x axis, as uPlot wants them: [steps, values, values, …]. */
export function align(series: readonly (readonly Point[])[]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(series.flatMap((points) => points.map(([step]) => step)))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, index) => [step, index]));
  const lines = series.map((points) => {
    const line = new Array<number | null>(steps.length).fill(null);
    for (const [step, value] of points) line[place.get(step) as number] = value;
    return line;
  });
  return [steps, ...lines];
}

/** "Fell from 3.1 to 0.23 over 500 steps; lowest 0.21 at step 480." for those who cannot see the line. */
export function sentence(points: readonly Point[], write: (value: number) => string): string {
  const known = points.filter((point): point is [number, number] => point[1] !== null);
  const [first, last] = [known[0], known[known.length - 1]];
  if (first === undefined || last === undefined) return "No values yet.";
  if (known.length === 1) return `${write(first[1])} at step ${first[0]}.`;
  const isDown = last[1] < first[1];
  const verb = last[1] === first[1] ? "Stayed at" : isDown ? "Fell" : "Rose";
  const path = verb === "Stayed at" ? write(last[1]) : `from ${write(first[1])} to ${write(last[1])}`;
  const extreme = known.reduce((best, point) =>
    (isDown ? point[1] < best[1] : point[1] > best[1]) ? point : best,
  );
  const end = `${isDown ? "lowest" : "highest"} ${write(extreme[1])} at step ${extreme[0]}`;
  return `${verb} ${path} up to step ${last[0]}; ${end}.`;
}
