import { Fragment, type PointerEvent, useState } from "react";
import { type Correlations, type Pair, pairAt, signed } from "@/lib/analysis/correlations";
import { cn } from "@/lib/cn";

export type MapName = "real" | "synthetic" | "difference";

export interface MapKind {
  readonly name: MapName;
  readonly title: string;
  /** The value that has the full colour. */
  readonly full: number;
}

export const MAPS: readonly MapKind[] = [
  { name: "real", title: "Real", full: 1 },
  { name: "synthetic", title: "Synthetic", full: 1 },
  { name: "difference", title: "Difference", full: 0.5 },
];

interface CorrelationMapsProps {
  found: Correlations;
  /** Said while nothing is pointed at. */
  worst: Pair | null;
  maps: readonly MapKind[];
}

/**
 * Heat maps beside each other in one real table, so that a screen reader can walk it
 * and rows stand in line. The pair under the pointer is said in numbers below.
 */
export function CorrelationMaps({ found, worst, maps }: CorrelationMapsProps) {
  const [place, setPlace] = useState<readonly [number, number] | null>(null);
  const { columns } = found;
  const point = (event: PointerEvent) => {
    const at = (event.target as Element).closest<HTMLElement>("[data-at]")?.dataset.at;
    const [row, column] = at?.split(",").map(Number) ?? [];
    setPlace(row === undefined || column === undefined || row === column ? null : [row, column]);
  };
  const pair = place ? pairAt(found, ...place) : null;
  return (
    <>
      <table
        className="w-full table-fixed border-separate border-spacing-px"
        style={{ maxWidth: `${6.5 + maps.length * columns.length * 2.5}rem` }}
        onPointerOver={point}
        onPointerDown={point}
        onPointerLeave={() => setPlace(null)}
      >
        <colgroup>
          <col className="w-24" />
        </colgroup>
        {maps.map(({ name }) => (
          <colgroup key={name}>
            <col className="w-2" />
            <col span={columns.length} />
          </colgroup>
        ))}
        <thead>
          <tr className="text-left text-text-2 text-xs">
            <td />
            {maps.map(({ name, title }) => (
              <Fragment key={name}>
                <Gap />
                <th scope="colgroup" colSpan={columns.length} className="pb-1 font-medium">
                  {title}
                </th>
              </Fragment>
            ))}
          </tr>
          <tr className="sr-only">
            <td />
            {maps.map(({ name }) => (
              <Fragment key={name}>
                <Gap />
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((name, row) => (
            <tr key={name}>
              <th scope="row" className="py-0 pr-1 text-left font-normal text-text-2 text-xs leading-none">
                <span className="block truncate leading-4" title={name}>
                  {name}
                </span>
              </th>
              {maps.map((map) => (
                <Fragment key={map.name}>
                  <Gap />
                  {columns.map((column, index) => (
                    <Cell
                      key={column}
                      map={map}
                      pair={pairAt(found, row, index)}
                      at={`${row},${index}`}
                      isSame={row === index}
                      isPointed={isAt(place, row, index)}
                    />
                  ))}
                </Fragment>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="mt-3 flex flex-wrap items-center justify-between gap-x-6 gap-y-1 text-text-2 text-xs">
        <p>{pair ? words(pair) : worst && `Changed most: ${words(worst)}`}</p>
        <Legend maps={maps} />
      </div>
    </>
  );
}

const words = ({ one, other, real, synthetic, difference }: Pair): string =>
  `${one} × ${other}: ${signed(real)} real, ${signed(synthetic)} synthetic, ${signed(difference)} difference`;

const isAt = (place: readonly [number, number] | null, row: number, column: number): boolean =>
  place !== null && place[0] === row && place[1] === column;

interface CellProps {
  map: MapKind;
  pair: Pair;
  at: string;
  /** A column with itself. */
  isSame: boolean;
  /** Under the pointer, in this map or in another. */
  isPointed: boolean;
}

function Cell({ map, pair, at, isSame, isPointed }: CellProps) {
  return (
    <td className="p-0">
      <div
        data-at={at}
        title={isSame ? undefined : words(pair)}
        className={cn("aspect-square max-h-10 w-full rounded-[2px]", isPointed && "outline-2 outline-focus")}
        style={{ backgroundColor: isSame ? "var(--track)" : tint(pair[map.name] / map.full) }}
      >
        <span className="sr-only">{isSame ? "the same column" : signed(pair[map.name])}</span>
      </div>
    </td>
  );
}

/** Blue above nothing, orange below; the two colours that every eye tells apart. */
function tint(value: number): string {
  const share = Math.round(Math.min(1, Math.abs(value)) * 100);
  return `color-mix(in oklab, var(${value < 0 ? "--series-2" : "--series-1"}) ${share}%, var(--heat-0))`;
}

/** Room between two maps. */
const Gap = () => <td aria-hidden className="p-0" />;

function Legend({ maps }: { maps: readonly MapKind[] }) {
  const most = Math.max(...maps.map(({ full }) => full));
  const other = maps.find(({ full }) => full < most);
  return (
    <p aria-hidden className="flex items-center gap-2 text-text-3">
      −{most}
      <span
        className="h-2 w-24 rounded-full"
        style={{ background: `linear-gradient(to right, ${tint(-1)}, var(--heat-0), ${tint(1)})` }}
      />
      {most}
      {other && (
        <span>
          · {other.title.toLowerCase()} ±{other.full}
        </span>
      )}
    </p>
  );
}
