import { SideScroll } from "@/components/base/SideScroll";
import { heat } from "@/components/panels/HeatmapTable";
import { type ClassScore, type Confusion, NONE, pairKey } from "@/lib/analysis/confusion";
import { cn } from "@/lib/cn";
import { percent } from "@/lib/format";

interface ConfusionTableProps {
  table: Confusion;
  onChoose: (truth: string, predicted: string) => void;
}

const nameOfPrediction = (predicted: string) => (predicted === NONE ? "none" : predicted);

export function ConfusionTable({ table, onChoose }: ConfusionTableProps) {
  return (
    <SideScroll className="pb-1">
      <table className="w-full border-separate border-spacing-0.5 text-sm">
        <thead className="text-text-2 text-xs">
          <tr>
            <th scope="col" className="whitespace-nowrap px-1 py-1 text-left font-normal text-text-3">
              truth ↓ predicted →
            </th>
            {table.predictions.map((predicted) => (
              <th
                key={predicted}
                scope="col"
                title={nameOfPrediction(predicted)}
                className={cn(
                  "max-w-24 truncate px-1.5 py-1 text-right font-medium",
                  predicted === NONE && "italic",
                )}
              >
                {nameOfPrediction(predicted)}
              </th>
            ))}
            {["Precision", "Recall", "F1"].map((name) => (
              <th key={name} scope="col" className="px-1.5 py-1 pl-3 text-right font-normal text-text-3">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.scores.map((score) => (
            <tr key={score.name}>
              <th scope="row" title={score.name} className="max-w-36 truncate px-1 text-left font-medium">
                {score.name}
              </th>
              {table.predictions.map((predicted) => (
                <CountCell
                  key={predicted}
                  table={table}
                  score={score}
                  predicted={predicted}
                  onChoose={onChoose}
                />
              ))}
              <ScoreCells score={score} />
            </tr>
          ))}
          <tr className="font-medium">
            <th
              scope="row"
              className="px-1 pt-1 text-left font-normal text-text-3 text-xs"
              colSpan={table.predictions.length + 1}
            >
              Mean of the classes
            </th>
            <ScoreCells score={table.macro} />
          </tr>
        </tbody>
      </table>
    </SideScroll>
  );
}

interface CountCellProps extends ConfusionTableProps {
  score: ClassScore;
  predicted: string;
}

function CountCell({ table, score, predicted, onChoose }: CountCellProps) {
  const key = pairKey(score.name, predicted);
  const amount = table.counts.get(key) ?? 0;
  if (amount === 0) return <td className="rounded-sm bg-surface px-1.5 text-right text-text-3">·</td>;
  const isHit = (table.hits.get(key) ?? 0) > 0;
  const spoken = `${amount} of ${score.support} ${score.name} predicted as ${nameOfPrediction(predicted)}${isHit ? ", counted as correct" : ""}`;
  return (
    <td className="p-0">
      <button
        type="button"
        title={spoken}
        aria-label={spoken}
        onClick={() => onChoose(score.name, predicted)}
        style={{ backgroundColor: heat(amount / score.support, score.support) }}
        className="block min-h-8 w-full min-w-11 rounded-sm px-1.5 text-right text-heat-ink hover:brightness-95 max-md:min-h-11"
      >
        {amount}
        {isHit && <span aria-hidden> ✓</span>}
      </button>
    </td>
  );
}

function ScoreCells({ score }: { score: Omit<ClassScore, "name"> }) {
  return [score.precision, score.recall, score.f1].map((value, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: three cells that never change places
    <td key={index} className="whitespace-nowrap px-1.5 pl-3 text-right">
      {percent(value, 0)}
    </td>
  ));
}
