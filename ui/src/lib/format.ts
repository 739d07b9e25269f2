/** Numbers, money, durations and times, written one way everywhere. No value is "–", never 0 or NaN. */

import type { Format } from "@/api/types";

export const NONE = "–";

type Maybe = number | null | undefined;
const whole = new Intl.NumberFormat();
const missing = (value: Maybe): value is null | undefined => value === null || value === undefined;
const odd = (value: number): string | null =>
  Number.isFinite(value) ? null : Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";

/** 1,204 */
export function count(value: Maybe): string {
  return missing(value) ? NONE : (odd(value) ?? whole.format(value));
}

/** 48.2k; exact below 10,000. */
export function compact(value: Maybe): string {
  if (missing(value)) return NONE;
  const size = Math.abs(value);
  if (size < 10_000 || !Number.isFinite(value)) return count(value);
  const [unit, by] = size < 1e6 ? ["k", 1e3] : size < 1e9 ? ["M", 1e6] : ["B", 1e9];
  return `${trim((value / (by as number)).toFixed(size / (by as number) < 100 ? 1 : 0))}${unit}`;
}

/** Four significant digits, 1.2e-5 below 0.001 and 1.2e+12 from a trillion on. */
export function decimal(value: Maybe): string {
  if (missing(value)) return NONE;
  const strange = odd(value);
  if (strange) return strange;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e12) return value.toExponential(1);
  return size >= 1000 ? whole.format(Math.round(value)) : trim(value.toPrecision(4));
}

/** 84.0 % from 0.84. */
export function percent(share: Maybe, digits = 1): string {
  return missing(share) ? NONE : (odd(share) ?? `${(share * 100).toFixed(digits)} %`);
}

/** 99 until it is done: the floored percentage of a bar, null without a total. */
export function wholePercent(done: number, total: number | null): number | null {
  if (total === null) return null;
  if (total === 0) return 100;
  return Math.min(100, Math.floor((done / total) * 100));
}

/** $0.41, <$0.01, $1,204. */
export function money(dollars: Maybe): string {
  if (missing(dollars)) return NONE;
  const strange = odd(dollars);
  if (strange) return strange;
  if (dollars === 0) return "$0.00";
  if (dollars > 0 && dollars < 0.01) return "<$0.01";
  return dollars >= 1000 ? `$${whole.format(Math.round(dollars))}` : `$${dollars.toFixed(2)}`;
}

/** 18.5 GB, in thousands. */
export function bytes(value: Maybe): string {
  if (missing(value)) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : trim(size.toFixed(1))} ${units[unit]}`;
}

/** 840 ms · 12 s · 2m 34s · 1h 05m · 3d 4h. */
export function duration(seconds: Maybe): string {
  if (missing(seconds)) return NONE;
  const strange = odd(seconds);
  if (strange) return strange;
  if (seconds > 0 && seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95)
    return seconds < 10 && seconds % 1 >= 0.05 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds)} s`;
  return long(seconds);
}

/** The same for a running clock: whole seconds, so that it does not flicker. */
export function clock(seconds: Maybe): string {
  if (missing(seconds)) return NONE;
  return seconds < 60 ? `${Math.floor(Math.max(0, seconds))} s` : long(seconds);
}

function long(seconds: number): string {
  const total = Math.floor(seconds);
  const minutes = Math.floor(total / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${pad(minutes % 60)}m`;
  return `${minutes}m ${pad(total % 60)}s`;
}

/** "~5m remaining" without its second word: < 1 min, minutes to 10, then steps of 5. */
export function roughly(seconds: Maybe): string {
  if (missing(seconds) || !Number.isFinite(seconds)) return NONE;
  if (seconds < 60) return "< 1 min";
  let minutes = Math.round(seconds / 60);
  if (minutes > 10) minutes = Math.round(minutes / 5) * 5;
  if (minutes < 60) return `~${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `~${Math.floor(hours / 24)}d ${hours % 24}h`;
  return minutes % 60 ? `~${hours}h ${pad(minutes % 60)}m` : `~${hours}h`;
}

/** 60/min below one a second, else 12.4/s. */
export function rate(perSecond: Maybe): string {
  if (missing(perSecond) || !Number.isFinite(perSecond)) return NONE;
  if (perSecond >= 1000) return `${count(Math.round(perSecond))}/s`;
  return perSecond >= 1
    ? `${trim(perSecond.toFixed(1))}/s`
    : `${trim((perSecond * 60).toFixed(perSecond < 0.1 ? 1 : 0))}/min`;
}

/** A value in its declared format, as a cell shows it. */
export function formatted(value: unknown, format: Format): string {
  if (value === null || value === undefined || value === "") return NONE;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "string" || format === "text" || format === "json") return String(value);
  const number = Number(value);
  switch (format) {
    case "integer":
      return count(number);
    case "percent":
      return percent(number);
    case "seconds":
      return duration(number);
    case "milliseconds":
      return duration(number / 1000);
    case "money":
      return money(number);
    case "bytes":
      return bytes(number);
    default:
      return decimal(number);
  }
}

/** "2 seconds ago", "yesterday 14:02", "18 Oct 14:02". */
export function ago(time: string | number | Date, now: number): string {
  const then = new Date(time);
  const seconds = Math.max(0, Math.floor((now - then.getTime()) / 1000));
  if (seconds < 60) return plural(seconds, "second");
  if (seconds < 3600) return plural(Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return plural(Math.floor(seconds / 3600), "hour");
  return date(then, new Date(now));
}

/** "2 s", "5 m", "3 h": for tables. */
export function agoShort(time: string | number | Date, now: number): string {
  const then = new Date(time);
  const seconds = Math.max(0, Math.floor((now - then.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return date(then, new Date(now));
}

/** 16:34:05 */
export function timeOfDay(time: string | number | Date, utc = false): string {
  return new Date(time).toLocaleTimeString("en-GB", utc ? { timeZone: "UTC" } : {});
}

/** 2026-01-31 16:34:05 CET, for tooltips. */
export function exactTime(time: string | number | Date, utc = false): string {
  const zone = utc ? { timeZone: "UTC" } : {};
  const moment = new Date(time);
  const day = moment.toLocaleDateString("sv-SE", zone);
  return `${day} ${moment.toLocaleTimeString("en-GB", { timeZoneName: "short", ...zone })}`;
}

function date(then: Date, now: Date): string {
  const at = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (then >= yesterday && then.toDateString() === yesterday.toDateString()) return `yesterday ${at}`;
  const day = then.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return then.getFullYear() === now.getFullYear() ? `${day} ${at}` : `${day} ${then.getFullYear()}`;
}

/** 40 s, 4m, 1h 05m: how long something has lasted, where the seconds do not matter. */
export function briefly(seconds: number): string {
  if (seconds < 60) return clock(seconds);
  return seconds < 3600 ? `${Math.floor(seconds / 60)}m` : long(seconds);
}

/** "resumes at 16:40", "resumes tomorrow 09:00", "resumes 24 Nov 09:00". */
export function untilWords(until: string, now: number): string {
  const then = new Date(until);
  if (then.getTime() <= now) return "resumes now";
  const at = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = new Date(now);
  const tomorrow = new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1);
  if (then.toDateString() === today.toDateString()) return `resumes at ${at}`;
  if (then.toDateString() === tomorrow.toDateString()) return `resumes tomorrow ${at}`;
  return `resumes ${then.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${at}`;
}

/** The next moment at which a clock here shows `time` (16:40), as an ISO time. */
export function laterAt(time: string, now: number): string {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const then = new Date(now);
  then.setHours(hours, minutes, 0, 0);
  if (then.getTime() <= now) then.setDate(then.getDate() + 1);
  return then.toISOString();
}

/** 1 test, 2 tests. */
export function counted(value: number, unit: string, units: string): string {
  return `${count(value)} ${value === 1 ? unit : units}`;
}

const plural = (value: number, unit: string): string => `${value} ${unit}${value === 1 ? "" : "s"} ago`;
const pad = (value: number): string => String(value).padStart(2, "0");
const trim = (text: string): string =>
  text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
