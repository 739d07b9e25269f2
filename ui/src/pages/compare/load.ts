/** What a machine was busy with, as lines over time: one chart for each unit. */

import type { MachineLoad } from "@/api/types";
import type { Line } from "@/components/panels/LineChart";
import { devices, type Unit } from "@/lib/analysis/hardware";
import type { Point } from "@/lib/analysis/series";
import { SYSTEM_PREFIX } from "@/live/fold";

export interface LoadChart {
  readonly unit: Unit;
  readonly lines: readonly Line[];
}

/** A silence of more than three looks is a gap in the line, not a slope. */
const GAP = 3;

/** The charts in the order of the hardware panel: use, memory, power, temperature. */
export function charts(samples: MachineLoad["samples"]): readonly LoadChart[] {
  const byUnit = new Map<Unit, Line[]>();
  for (const device of devices(seriesOf(samples))) {
    for (const { name, label, unit, points } of device.readings) {
      const words = device.name === "Host" ? label : `${device.name} ${label.toLowerCase()}`;
      byUnit.set(unit, [...(byUnit.get(unit) ?? []), { name, label: words, points }]);
    }
  }
  return [...byUnit].map(([unit, lines]) => ({ unit, lines }));
}

function seriesOf(samples: MachineLoad["samples"]): Map<string, Point[]> {
  const series = new Map<string, Point[]>();
  const times = samples.map(({ time }) => Date.parse(time) / 1000);
  const usual = usualPause(times);
  samples.forEach(({ values }, index) => {
    const at = times[index] as number;
    const before = times[index - 1] ?? at;
    for (const [name, value] of Object.entries(values)) {
      const points = series.get(SYSTEM_PREFIX + name) ?? [];
      if (at - before > GAP * usual && points.length > 0) points.push([before + usual, null]);
      points.push([at, value]);
      series.set(SYSTEM_PREFIX + name, points);
    }
  });
  return series;
}

/** Seconds between most looks. */
function usualPause(times: readonly number[]): number {
  const pauses = times.slice(1).map((time, index) => time - (times[index] as number));
  return pauses.sort((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 60;
}
