/** What a job uses of its machine, sorted into the host and its GPUs; `pilothouse/worker/vitals.py` names the metrics. */

import type { Point, SeriesMap } from "@/lib/analysis/series";
import { bytes, decimal } from "@/lib/format";

const PREFIX = "system/";

export type Unit = "bytes" | "percent" | "watts" | "celsius" | "number";

export interface Reading {
  /** The metric's whole name. */
  readonly name: string;
  readonly label: string;
  readonly unit: Unit;
  readonly points: readonly Point[];
  readonly latest: number;
  readonly peak: number;
  /** What it can be at most, where that is known. */
  readonly most: number | null;
}

export interface Device {
  /** "Host", "GPU 0". */
  readonly name: string;
  readonly readings: readonly Reading[];
}

const GPU = /^gpu(\d+)_/;
const TOTAL = "memory_total_bytes";
/** In the order in which they are shown. A name that is none of them stands at the end as a plain number. */
const KNOWN: readonly (readonly [name: string, label: string, unit: Unit])[] = [
  ["cpu_percent", "CPU", "percent"],
  ["percent", "Use", "percent"],
  ["memory_bytes", "Memory", "bytes"],
  ["power_watts", "Power", "watts"],
  ["celsius", "Temperature", "celsius"],
];

/** The host first, then the GPUs in their order. How much memory there is at all becomes a bound. */
export function devices(series: SeriesMap): readonly Device[] {
  const found = new Map<number, Map<string, readonly Point[]>>();
  for (const [name, points] of series) {
    if (!name.startsWith(PREFIX) || points.every(([, value]) => value === null)) continue;
    const rest = name.slice(PREFIX.length);
    const gpu = GPU.exec(rest);
    const device = gpu ? Number(gpu[1]) : -1;
    const own = found.get(device) ?? new Map();
    found.set(device, own.set(gpu ? rest.slice(gpu[0].length) : rest, points));
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([device, own]) => deviceOf(device, own))
    .filter(({ readings }) => readings.length > 0);
}

function deviceOf(device: number, own: ReadonlyMap<string, readonly Point[]>): Device {
  const total = own.get(TOTAL)?.findLast(([, value]) => value !== null)?.[1] ?? null;
  const before = device < 0 ? PREFIX : `${PREFIX}gpu${device}_`;
  const readings = [...own.keys()]
    .filter((name) => name !== TOTAL)
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => readingOf(name, before, own.get(name) ?? [], total));
  return { name: device < 0 ? "Host" : `GPU ${device}`, readings };
}

function rank(name: string): number {
  const at = KNOWN.findIndex(([known]) => known === name);
  return at < 0 ? KNOWN.length : at;
}

function readingOf(name: string, before: string, points: readonly Point[], total: number | null): Reading {
  const [, label, unit] = KNOWN[rank(name)] ?? [name, name.replaceAll("_", " "), "number" as const];
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  return {
    name: before + name,
    label,
    unit,
    points,
    latest: values.at(-1) ?? 0,
    peak: values.reduce((most, value) => Math.max(most, value), 0),
    most: unit === "percent" ? 100 : unit === "bytes" ? total : null,
  };
}

/** 37 %, 18.5 GB, 310 W, 71 °C. */
export function written(value: number, unit: Unit): string {
  switch (unit) {
    case "bytes":
      return bytes(value);
    case "percent":
      return `${Math.round(value)} %`;
    case "watts":
      return `${Math.round(value)} W`;
    case "celsius":
      return `${Math.round(value)} °C`;
    case "number":
      return decimal(value);
  }
}

/** Above this a GPU slows itself down. */
const HOT_CELSIUS = 83;
const FULL_SHARE = 0.95;

/** A word for a reading that needs an eye: too warm, nearly full. */
export function alarmOf({ unit, latest, most }: Reading): "hot" | "nearly full" | null {
  if (unit === "celsius") return latest > HOT_CELSIUS ? "hot" : null;
  return unit === "bytes" && most !== null && latest > FULL_SHARE * most ? "nearly full" : null;
}
