import type { Metric, MetricValue } from "@/api/types";
import { PanelFrame } from "@/components/panels/PanelFrame";
import type { PanelProps } from "@/components/panels/view";
import { VERDICTS, verdictOf } from "@/lib/analysis/verdict";
import { cn } from "@/lib/cn";
import { formatted, NONE } from "@/lib/format";

/** A row of numbers: the latest values of some metrics, with a verdict where the kind sets a limit. */
export function StatsPanel({ panel, view }: PanelProps<"Stats">) {
  return (
    <PanelFrame title={panel.title}>
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(7.5rem,1fr))] gap-x-6 gap-y-4">
        {panel.metrics.map((name) => (
          <Stat
            key={name}
            name={name}
            metric={view.kind.metrics.find((metric) => metric.name === name)}
            value={view.run.metrics[name]}
          />
        ))}
      </dl>
    </PanelFrame>
  );
}

interface StatProps {
  name: string;
  metric: Metric | undefined;
  value: MetricValue | undefined;
}

function Stat({ name, metric, value }: StatProps) {
  const verdict = metric && typeof value === "number" ? verdictOf(metric, value) : null;
  const isBroken = value === "NaN";
  const text = value === undefined || value === null ? NONE : formatted(value, metric?.format ?? "number");
  return (
    <div className="min-w-0">
      <dt className="truncate text-text-2 text-xs">{metric?.label ?? name}</dt>
      <dd className={cn("mt-0.5 truncate font-semibold text-xl", isBroken && "text-fail")} title={text}>
        {text}
      </dd>
      {verdict && <dd className={cn("text-xs", VERDICTS[verdict].className)}>{VERDICTS[verdict].text}</dd>}
    </div>
  );
}
