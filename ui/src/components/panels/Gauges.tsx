import type { JsonObject, Metric, MetricValue } from "@/api/types";
import { isTerminal } from "@/api/types";
import { PanelFrame } from "@/components/panels/PanelFrame";
import { type PanelProps, type PanelView, waitingWords } from "@/components/panels/view";
import { gauge, limitWords } from "@/lib/analysis/gauge";
import { type Limits, VERDICTS, type Verdict, verdictOf } from "@/lib/analysis/verdict";
import { cn } from "@/lib/cn";
import { formatted } from "@/lib/format";

/** A ring per metric that fills towards its limit; word and shape say how it stands, not colour alone. */
export function GaugesPanel({ panel, view }: PanelProps<"Gauges">) {
  return (
    <PanelFrame title={panel.title}>
      <div className="flex flex-wrap gap-x-8 gap-y-6">
        {groupsOf(panel.metrics, panel.groups).map(({ heading, metrics }) => (
          <section
            key={heading ?? ""}
            aria-label={heading ?? panel.title}
            className="min-w-0 basis-56"
            style={{ flexGrow: metrics.length }}
          >
            {heading && <h3 className="mb-3 font-medium text-text-2 text-xs">{heading}</h3>}
            <ul className="grid grid-cols-[repeat(auto-fit,minmax(8rem,1fr))] gap-x-4 gap-y-6">
              {metrics.map((name) => (
                <Ring key={name} name={name} view={view} phase={panel.phase} />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </PanelFrame>
  );
}

interface Group {
  heading: string | null;
  metrics: readonly string[];
}

/** The metrics below their headings; what no group takes stands at the end without one. */
function groupsOf(metrics: readonly string[], groups: readonly (readonly [string, number])[]): Group[] {
  let at = 0;
  const found: Group[] = groups.map(([heading, size]) => {
    const some = metrics.slice(at, at + size);
    at += size;
    return { heading, metrics: some };
  });
  const rest = metrics.slice(at);
  return rest.length > 0 ? [...found, { heading: null, metrics: rest }] : found;
}

const NO_LIMITS: Limits = { goal: null, limit: null, warn: null };

/** The declared limits, or those that the run was started with: its params `NAME_limit` and `NAME_warn`. */
function limitsOf(metric: Metric | undefined, params: JsonObject): Limits {
  if (metric === undefined) return NO_LIMITS;
  const own = (word: "limit" | "warn") => {
    const asked = params[`${metric.name}_${word}`];
    return typeof asked === "number" ? asked : metric[word];
  };
  return { goal: metric.goal, limit: own("limit"), warn: own("warn") };
}

function Ring({ name, view, phase }: { name: string; view: PanelView; phase: string | null }) {
  const metric: Metric | undefined = view.kind.metrics.find((one) => one.name === name);
  const value: MetricValue | undefined = view.run.metrics[name];
  const number = typeof value === "number" ? value : null;
  const limits = limitsOf(metric, view.run.params);
  const verdict = number === null ? null : verdictOf(limits, number);
  const write = (each: number) => formatted(Number(each.toPrecision(3)), metric?.format ?? "number");
  const isBroken = typeof value === "string";
  return (
    <li className="flex min-w-0 flex-col items-center text-center">
      <span className="mb-1.5 max-w-full truncate font-medium text-sm">{metric?.label ?? name}</span>
      <span className="relative grid place-items-center">
        <Arc {...gauge(limits, number)} verdict={verdict} />
        <span className="absolute inset-0 grid place-items-center">
          {number === null && !isBroken ? (
            <span aria-hidden className="text-lg text-text-3">
              –
            </span>
          ) : (
            <span className={cn("font-semibold text-lg", isBroken && "text-fail")}>
              {isBroken ? value : write(number as number)}
            </span>
          )}
        </span>
      </span>
      {number === null && !isBroken ? (
        <span className="mt-1 text-text-3 text-xs">
          {isTerminal(view.run.status) ? "not measured" : waitingWords(view.kind, phase)}
        </span>
      ) : (
        verdict && (
          <span className={cn("mt-1 font-medium text-sm", VERDICTS[verdict].className)}>
            {VERDICTS[verdict].text}
          </span>
        )
      )}
      <span className="text-text-3 text-xs">{limitWords(limits, write)}</span>
    </li>
  );
}

const SIZE = 96;
const RADIUS = 40;
/** Three quarters of a circle, open at the bottom. */
const TURN = 270;
const LENGTH = (2 * Math.PI * RADIUS * TURN) / 360;

const COLOURS: Record<Verdict, string> = {
  pass: "stroke-pass",
  warn: "stroke-warn",
  fail: "stroke-fail",
};

function Arc({
  filled,
  marks,
  verdict,
}: {
  filled: number;
  marks: readonly number[];
  verdict: Verdict | null;
}) {
  const ring = { cx: SIZE / 2, cy: SIZE / 2, r: RADIUS, fill: "none", strokeWidth: 8 };
  return (
    <svg aria-hidden="true" width={SIZE} height={SIZE}>
      <g transform={`rotate(135 ${SIZE / 2} ${SIZE / 2})`}>
        <circle {...ring} className="stroke-track" strokeLinecap="round" strokeDasharray={`${LENGTH} 999`} />
        {filled > 0 && (
          <circle
            {...ring}
            strokeLinecap="round"
            strokeDasharray={`${Math.max(0.1, LENGTH * filled)} 999`}
            className={cn(
              "transition-[stroke-dasharray] duration-500",
              verdict ? COLOURS[verdict] : "stroke-running",
            )}
          />
        )}
        {marks.map((mark) => (
          <line
            key={mark}
            x1={SIZE / 2 + RADIUS - 7}
            x2={SIZE / 2 + RADIUS + 7}
            y1={SIZE / 2}
            y2={SIZE / 2}
            transform={`rotate(${mark * TURN} ${SIZE / 2} ${SIZE / 2})`}
            strokeWidth={2}
            className="stroke-text-2"
          />
        ))}
      </g>
    </svg>
  );
}
