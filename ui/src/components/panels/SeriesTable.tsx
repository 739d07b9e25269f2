import type { Line } from "@/components/panels/LineChart";
import { align } from "@/lib/analysis/series";

const MOST_ROWS = 200;

/** The latest points of some lines in numbers. */
export function SeriesTable({
  lines,
  write,
  height,
}: {
  lines: readonly Line[];
  write: (value: number) => string;
  height: number;
}) {
  const [steps, ...values] = align(lines.map((line) => line.points.slice(-MOST_ROWS)));
  return (
    <div className="overflow-auto" style={{ height }}>
      <table className="w-full text-sm">
        <thead className="sticky top-0 bg-card text-left text-text-2 text-xs">
          <tr>
            <th scope="col" className="py-1 font-medium">
              Step
            </th>
            {lines.map((line) => (
              <th key={line.name} scope="col" className="py-1 text-right font-medium">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps
            .map((step, index) => (
              <tr key={step} className="border-line border-t">
                <th scope="row" className="py-1 text-left font-normal text-text-2">
                  {step}
                </th>
                {lines.map((line, which) => {
                  const value = values[which]?.[index] ?? null;
                  return (
                    <td key={line.name} className="py-1 text-right">
                      {value === null ? "–" : write(value)}
                    </td>
                  );
                })}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
