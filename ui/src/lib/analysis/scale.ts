/** From values to pixels, with ticks that people can read. */

export interface Scale {
  /** The place of a value. */
  at(value: number): number;
  /** The value at a place. */
  back(place: number): number;
  readonly ticks: readonly number[];
}

type Range = readonly [from: number, to: number];

/** Some room around the values, so that no point lies on the frame. A single value gets room as well. */
export function padded(values: readonly number[], share = 0.06): Range {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const room = high === low ? Math.abs(low) * 0.1 || 1 : (high - low) * share;
  // Nothing below zero is shown of values that are never below zero.
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

export function linear([low, high]: Range, [from, to]: Range, count = 5): Scale {
  const size = high - low || 1;
  return {
    at: (value) => from + ((value - low) / size) * (to - from),
    back: (place) => low + ((place - from) / (to - from || 1)) * size,
    ticks: ticksOf(low, high, count),
  };
}

/** Logarithmic; only for values above zero. */
export function logarithmic([low, high]: Range, [from, to]: Range): Scale {
  const inner = linear([Math.log10(low), Math.log10(high)], [from, to]);
  return {
    at: (value) => inner.at(Math.log10(value)),
    back: (place) => 10 ** inner.back(place),
    ticks: logTicks(low, high),
  };
}

/** Round numbers within the range, about `count` of them, in steps of 1, 2 or 5 × 10ⁿ. */
export function ticksOf(low: number, high: number, count = 5): readonly number[] {
  const raw = (high - low) / Math.max(1, count);
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.75) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function logTicks(low: number, high: number): readonly number[] {
  const decades = Math.log10(high / low);
  const factors = decades > 2 ? [1] : decades > 1 ? [1, 3] : [1, 2, 3, 5, 7];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(6));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  return ticks.length > 1 ? ticks : ticksOf(low, high, 4);
}
