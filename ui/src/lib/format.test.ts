import { describe, expect, it } from "vitest";
import {
  ago,
  bytes,
  clock,
  compact,
  count,
  decimal,
  duration,
  formatted,
  money,
  percent,
  rate,
  roughly,
  wholePercent,
} from "@/lib/format";

const NOW = new Date("2026-01-31T12:00:00").getTime();

describe("format", () => {
  it("writes no value as a dash, never as 0 or NaN", () => {
    for (const write of [count, compact, decimal, percent, money, bytes, duration, clock, roughly, rate])
      expect(write(null)).toBe("–");
    expect(formatted(undefined, "number")).toBe("–");
    expect(decimal(Number.NaN)).toBe("NaN");
  });

  // rows: S3.42
  it("writes durations in the unit a reader would say", () => {
    expect([0.84, 12, 154, 3900, 273_600].map(duration)).toEqual([
      "840 ms",
      "12 s",
      "2m 34s",
      "1h 05m",
      "3d 4h",
    ]);
    expect(clock(12.9)).toBe("12 s");
  });

  it("writes money and counts short", () => {
    expect([0, 0.004, 0.41, 1204.4].map(money)).toEqual(["$0.00", "<$0.01", "$0.41", "$1,204"]);
    expect([1204, 48_210, 1_500_000].map(compact)).toEqual(["1,204", "48.2k", "1.5M"]);
  });

  it("keeps four significant digits of a number", () => {
    expect([0.0000123, 0.23456, 2, 12.345678, 1546.4, 120_000, 1.1119e29].map(decimal)).toEqual([
      "1.2e-5",
      "0.2346",
      "2",
      "12.35",
      "1,546",
      "120,000",
      "1.1e+29",
    ]);
  });

  it("parts the thousands of a rate", () => {
    expect([1269.2, 12.4, 0.5].map(rate)).toEqual(["1,269/s", "12.4/s", "30/min"]);
  });

  // rows: S4.63
  it("floors a percentage, so that 100 only stands at the end", () => {
    expect(wholePercent(499, 500)).toBe(99);
    expect(wholePercent(500, 500)).toBe(100);
    expect(wholePercent(3, null)).toBeNull();
  });

  // rows: S3.43
  it("rounds what is left to what one can believe", () => {
    expect([20, 290, 1400, 4800, 3600].map(roughly)).toEqual(["< 1 min", "~5m", "~25m", "~1h 20m", "~1h"]);
  });

  // rows: S3.38
  it("writes ages in words, and dates beyond a day", () => {
    const then = (seconds: number) => ago(NOW - seconds * 1000, NOW);
    expect(then(1)).toBe("1 second ago");
    expect(then(300)).toBe("5 minutes ago");
    expect(then(90_000)).toBe("yesterday 11:00");
    expect(then(86_400 * 20)).toBe("11 Jan 12:00");
  });
});
