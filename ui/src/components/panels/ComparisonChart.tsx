import { useWidth } from "@/components/panels/useWidth";
import type { Compared } from "@/lib/analysis/comparison";
import { linear } from "@/lib/analysis/scale";
import { percent } from "@/lib/format";

const HEIGHT = 240;
const LEFT = 44;
const BOTTOM = 26;
const TOP = 8;
/** Room that a label needs to stand beside its neighbour. */
const LABEL = 64;

/** Pairs of bars: filled is real, striped is synthetic. */
export function ComparisonChart({ column }: { column: Compared }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const most = Math.max(0.01, ...column.real, ...column.synthetic);
  const inner = { width: width - LEFT - 4, height: HEIGHT - TOP - BOTTOM };
  const y = linear([0, most * 1.05], [inner.height, 0], 4);
  const slot = inner.width / column.labels.length;
  const bar = Math.max(1.5, Math.min(28, (slot - Math.min(6, slot * 0.25)) / 2));
  const every = Math.max(1, Math.ceil(LABEL / slot));
  return (
    <figure className="min-w-0">
      <figcaption className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-xs">
        <span className="font-medium text-sm">{column.column}</span>
        <Swatch className="fill-series-1">real</Swatch>
        <Swatch className="fill-[url(#synthetic)] stroke-series-2">synthetic</Swatch>
      </figcaption>
      <div ref={box}>
        <svg
          role="img"
          aria-label={`${column.column}, real against synthetic: ${spoken(column)}`}
          width={width}
          height={HEIGHT}
          className="block max-w-full text-2xs"
        >
          <defs>
            <pattern
              id="synthetic"
              width="5"
              height="5"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="5" height="5" className="fill-series-2 opacity-30" />
              <rect width="2.5" height="5" className="fill-series-2" />
            </pattern>
          </defs>
          <g transform={`translate(${LEFT} ${TOP})`}>
            {y.ticks.map((tick) => (
              <g key={tick} transform={`translate(0 ${y.at(tick)})`}>
                <line x2={inner.width} className="stroke-line" />
                <text x={-8} dy="0.32em" textAnchor="end" className="fill-text-3">
                  {percent(tick, most < 0.05 ? 1 : 0)}
                </text>
              </g>
            ))}
            {column.labels.map((label, index) => {
              const [real, synthetic] = [column.real[index] ?? 0, column.synthetic[index] ?? 0];
              const middle = slot * (index + 0.5);
              return (
                <g key={label}>
                  <title>{`${label}: ${percent(real)} real, ${percent(synthetic)} synthetic`}</title>
                  <rect x={slot * index} width={slot} height={inner.height} fill="transparent" />
                  <rect
                    x={middle - bar}
                    y={y.at(real)}
                    width={bar}
                    height={inner.height - y.at(real)}
                    className="fill-series-1"
                  />
                  <rect
                    x={middle}
                    y={y.at(synthetic)}
                    width={bar}
                    height={inner.height - y.at(synthetic)}
                    className="fill-[url(#synthetic)]"
                  />
                  {index % every === 0 && (
                    <text x={middle} y={inner.height + 16} textAnchor="middle" className="fill-text-3">
                      {short(label, Math.floor((slot * every) / 6))}
                    </text>
                  )}
                </g>
              );
            })}
            <line x2={inner.width} y1={inner.height} y2={inner.height} className="stroke-line-strong" />
          </g>
        </svg>
      </div>
    </figure>
  );
}

const short = (label: string, most: number): string =>
  label.length > Math.max(4, most) ? `${label.slice(0, Math.max(3, most - 1))}…` : label;

function Swatch({ className, children }: { className: string; children: string }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-text-2">
      <svg aria-hidden="true" width="12" height="12">
        <rect x="0.5" y="0.5" width="11" height="11" rx="2" className={className} />
      </svg>
      {children}
    </span>
  );
}

const SPOKEN = 3;

/** Where the two differ most. */
function spoken({ labels, real, synthetic }: Compared): string {
  const off = labels.map((label, index) => ({ label, a: real[index] ?? 0, b: synthetic[index] ?? 0 }));
  const worst = off.sort((one, two) => Math.abs(two.a - two.b) - Math.abs(one.a - one.b)).slice(0, SPOKEN);
  return `they differ most at ${worst.map(({ label, a, b }) => `${label} (${percent(a)} and ${percent(b)})`).join(", ")}.`;
}

/** The same in numbers. */
export function ComparisonTable({ column }: { column: Compared }) {
  return (
    <div className="overflow-auto" style={{ maxHeight: HEIGHT + 32 }}>
      <table className="w-full text-sm">
        <thead className="sticky top-0 bg-card text-text-2 text-xs">
          <tr>
            <th scope="col" className="py-1 text-left font-medium">
              {column.column}
            </th>
            <th scope="col" className="py-1 text-right font-medium">
              Real
            </th>
            <th scope="col" className="py-1 text-right font-medium">
              Synthetic
            </th>
          </tr>
        </thead>
        <tbody>
          {column.labels.map((label, index) => (
            <tr key={label} className="border-line border-t">
              <th scope="row" className="max-w-48 truncate py-1 text-left font-normal" title={label}>
                {label}
              </th>
              <td className="py-1 text-right">{percent(column.real[index])}</td>
              <td className="py-1 text-right">{percent(column.synthetic[index])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
