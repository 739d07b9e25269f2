import { useMemo, useState } from "react";
import { PanelAction, PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { Plot, type PlotAxis, type PlotScales, Star } from "@/components/panels/Plot";
import { PlotTable } from "@/components/panels/PlotTable";
import { labelOf, type PanelProps, writerOf } from "@/components/panels/view";
import { type BestSoFar, bestSoFar, isScored, type Scored } from "@/lib/analysis/bestSoFar";
import { padded } from "@/lib/analysis/scale";
import { count, counted } from "@/lib/format";
import { capital, within } from "@/lib/status";

const HEIGHT = 260;
/** More dots than this are one cloud: only the newest are drawn, and every record. */
const MOST_DOTS = 1_500;

const WIDE = 100;

/** Whether the largest is so far from the smallest that the others would lie on the axis. */
function isWide(scores: readonly number[]): boolean {
  const least = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return least > 0 && scores.some((score) => score > WIDE * least);
}

/** Every item's score in the order of finishing, and the line of the best one until then. */
export function BestSoFarPanel({ panel, view }: PanelProps<"BestSoFar">) {
  const [isTable, setTable] = useState(false);
  const [wantsLog, setLog] = useState<boolean | null>(null);
  const { unit, units } = view.kind;
  const study = useMemo(
    () => bestSoFar(view.items, panel.value, panel.goal),
    [view.items, panel.value, panel.goal],
  );
  const write = writerOf(view.kind, panel.value);
  const scored = useMemo(() => study.trials.filter(isScored), [study]);
  const { best } = study;
  const isLog = wantsLog ?? isWide(scored.map(({ score }) => score));
  const goal = panel.goal === "min" ? "low is good" : "high is good";
  const label = labelOf(view.kind, panel.value);
  return (
    <PanelFrame
      title={panel.title}
      actions={
        best !== null && (
          <>
            {scored.every(({ score }) => score > 0) && (
              <PanelAction label="log scale" pressed={isLog} onClick={() => setLog(!isLog)}>
                log
              </PanelAction>
            )}
            <TableToggle isTable={isTable} onChange={setTable} />
          </>
        )
      }
    >
      {best === null ? (
        <PanelEmpty>
          {study.failed > 0
            ? `No ${unit} has a score yet: ${count(study.failed)} failed`
            : `After the first ${unit}`}
        </PanelEmpty>
      ) : isTable ? (
        <PlotTable
          heads={[capital(unit), label]}
          rows={[...scored]
            .sort((a, b) => (panel.goal === "min" ? a.score - b.score : b.score - a.score))
            .map((trial) => ({
              key: trial.key,
              name: `#${trial.number}`,
              cells: [write(trial.score)],
              mark: trial === best ? "best" : null,
            }))}
          height={HEIGHT + 24}
          onOpen={view.onOpen}
        />
      ) : (
        <>
          <p className="flex min-h-7 items-center text-text-2 text-xs">
            {label}, {panel.goal === "min" ? "↓ better" : "↑ better"}
          </p>
          <Plot
            height={HEIGHT}
            label={`Best ${within(label)} ${write(best.score)} at ${unit} ${best.number} of ${study.trials.length}, ${goal}.`}
            x={numberAxis(unit, study.trials.length)}
            y={scoreAxis(scored, isLog, label, write)}
            points={dots(study, scored).map((trial) => ({ ...trial, x: trial.number, y: trial.score }))}
            onOpen={view.onOpen}
            tip={(trial) => (
              <>
                <p className="font-medium">
                  #{count(trial.number)}
                  {trial.key === best.key && " · best"}
                </p>
                <p className="text-text-2">
                  {label} {write(trial.score)}
                </p>
              </>
            )}
          >
            {(scales) => <Marks study={study} scored={scored} scales={scales} />}
          </Plot>
        </>
      )}
      {best !== null && (
        <p className="mt-1 text-text-2 text-xs">
          Best {write(best.score)} at #{count(best.number)}
          {study.failed > 0 && ` · ✕ ${counted(study.failed, unit, units)} without a score`}
        </p>
      )}
    </PanelFrame>
  );
}

const numberAxis = (unit: string, most: number): PlotAxis => ({
  low: 0.5,
  high: Math.max(most, 4) + 0.5,
  label: unit,
  write: (tick) => (Number.isInteger(tick) && tick > 0 ? count(tick) : ""),
});

function scoreAxis(
  scored: readonly Scored[],
  isLog: boolean,
  label: string,
  write: (value: number) => string,
): PlotAxis {
  const values = scored.map(({ score }) => score);
  const [low, high] = padded(values, 0.08);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return { low: isLog ? least / 1.1 : low, high: isLog ? high * 1.1 : high, isLog, label, write };
}

function dots({ records }: BestSoFar, scored: readonly Scored[]): readonly Scored[] {
  if (scored.length <= MOST_DOTS) return scored;
  return [...new Set([...records, ...scored.slice(-MOST_DOTS)])];
}

function Marks({
  study,
  scored,
  scales,
}: {
  study: BestSoFar;
  scored: readonly Scored[];
  scales: PlotScales;
}) {
  const { x, y, height } = scales;
  const { records, best, trials } = study;
  const steps = records
    .map(({ number, score }, index) =>
      index === 0 ? `M${x.at(number)} ${y.at(score)}` : `H${x.at(number)}V${y.at(score)}`,
    )
    .join("");
  const isRecord = new Set(records.map(({ key }) => key));
  return (
    <>
      {dots(study, scored).map((trial) => (
        <circle
          key={trial.key}
          cx={x.at(trial.number)}
          cy={y.at(trial.score)}
          r={isRecord.has(trial.key) ? 3.5 : 3}
          className={isRecord.has(trial.key) ? "fill-series-1" : "fill-text-3 opacity-60"}
        />
      ))}
      {trials
        .filter((trial) => trial.score === null)
        .slice(-MOST_DOTS)
        .map((trial) => (
          <path
            key={trial.key}
            d="M-3 -3L3 3M3 -3L-3 3"
            transform={`translate(${x.at(trial.number)} ${height - 6})`}
            className="fill-none stroke-fail"
            strokeWidth={1.5}
          />
        ))}
      <path
        d={`${steps}H${x.at(trials.length)}`}
        className="pointer-events-none fill-none stroke-series-1"
        strokeWidth={2}
        strokeLinejoin="round"
      />
      {best && <Star x={x.at(best.number)} y={y.at(best.score)} size={8} />}
    </>
  );
}
