import { useMemo } from "react";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import type { PanelProps } from "@/components/panels/view";
import { alarmOf, type Device, devices, type Reading, written } from "@/lib/analysis/hardware";
import { type Point, sentence, thin } from "@/lib/analysis/series";

/** The machine of the job: its processor and memory, and its GPUs where it has some. */
export function HardwarePanel({ panel, view }: PanelProps<"Hardware">) {
  const found = useMemo(() => devices(view.series), [view.series]);
  return (
    <PanelFrame title={panel.title}>
      {found.length === 0 ? (
        <PanelEmpty>A few seconds after the job has begun</PanelEmpty>
      ) : (
        <div className="space-y-5">
          {found.map((device) => (
            <OneDevice key={device.name} device={device} isAlone={found.length === 1} />
          ))}
        </div>
      )}
    </PanelFrame>
  );
}

function OneDevice({ device, isAlone }: { device: Device; isAlone: boolean }) {
  return (
    <section aria-label={device.name}>
      {!isAlone && <h3 className="mb-2 font-medium text-text-2 text-xs">{device.name}</h3>}
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(8.25rem,1fr))] gap-x-5 gap-y-4">
        {device.readings.map((reading) => (
          <OneReading key={reading.name} reading={reading} />
        ))}
      </dl>
    </section>
  );
}

function OneReading({ reading }: { reading: Reading }) {
  const { label, unit, latest, peak, most, points } = reading;
  const write = (value: number) => written(value, unit);
  const alarm = alarmOf(reading);
  return (
    <div className="min-w-0">
      <dt className="flex items-baseline justify-between gap-2 text-xs">
        <span className="truncate text-text-2">{label}</span>
        <span className="shrink-0 text-text-3">peak {write(peak)}</span>
      </dt>
      <dd>
        <span className="font-semibold text-lg">{write(latest)}</span>
        {unit === "bytes" && most !== null && <span className="text-sm text-text-2"> of {write(most)}</span>}
        {alarm && <span className="ml-2 font-medium text-warn text-xs">▲ {alarm}</span>}
        <Spark points={points} most={most ?? peak * 1.15} />
        <span className="sr-only">{sentence(points, write)}</span>
      </dd>
    </div>
  );
}

const WIDTH = 160;
const HEIGHT = 36;
const POINTS = 160;

/** A small area without axes: the form matters, the numbers stand above it. */
function Spark({ points, most }: { points: readonly Point[]; most: number }) {
  const known = thin(points, POINTS).filter((point): point is readonly [number, number] => point[1] !== null);
  const first = known[0]?.[0] ?? 0;
  const span = (known.at(-1)?.[0] ?? first) - first || 1;
  const at = ([step, value]: readonly [number, number]) =>
    `${(((step - first) / span) * WIDTH).toFixed(1)} ${(HEIGHT - 1 - (Math.min(value, most) / (most || 1)) * (HEIGHT - 3)).toFixed(1)}`;
  const line =
    known.length === 1
      ? `M0 ${at([first, known[0]?.[1] ?? 0]).split(" ")[1]}H${WIDTH}`
      : `M${known.map(at).join("L")}`;
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="mt-1 block h-9 w-full rounded-sm bg-surface"
    >
      <path d={`${line}V${HEIGHT}H0Z`} className="fill-series-1 opacity-15" />
      <path
        d={line}
        className="fill-none stroke-series-1"
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
