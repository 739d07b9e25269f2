import { useMemo, useState } from "react";
import { CorrelationMaps, MAPS, type MapName } from "@/components/panels/CorrelationMaps";
import { PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { useWidth } from "@/components/panels/useWidth";
import { type PanelProps, waitingWords } from "@/components/panels/view";
import { correlationsOf, type Pair, pairsOf, signed } from "@/lib/analysis/correlations";

/** Below this many pixels one map is shown at a time. */
const NARROW = 560;

/** How strongly columns hang together: real, synthetic and the difference, pair by pair. */
export function CorrelationsPanel({ panel, view }: PanelProps<"Correlations">) {
  const [isTable, setTable] = useState(false);
  const [chosen, setChosen] = useState<MapName>("difference");
  const [box, width] = useWidth<HTMLDivElement>();
  const found = useMemo(() => correlationsOf(view.items, panel.value), [view.items, panel.value]);
  const pairs = useMemo(() => (found ? pairsOf(found) : []), [found]);
  const isNarrow = width < NARROW;
  return (
    <PanelFrame
      title={panel.title}
      note="−1 to 1 for numbers, 0 to 1 where categories take part"
      actions={
        found && (
          <>
            {isNarrow && !isTable && (
              <PanelSelect
                label="Which map"
                value={chosen}
                options={MAPS.map(({ name, title }) => ({ value: name, label: title }))}
                onChange={(name) => setChosen(name as MapName)}
              />
            )}
            <TableToggle isTable={isTable} onChange={setTable} />
          </>
        )
      }
    >
      <div ref={box}>
        {found === null ? (
          <PanelEmpty>{waitingWords(view.kind, panel.phase)}</PanelEmpty>
        ) : isTable ? (
          <Pairs pairs={pairs} />
        ) : (
          <CorrelationMaps
            found={found}
            worst={pairs[0] ?? null}
            maps={isNarrow ? MAPS.filter(({ name }) => name === chosen) : MAPS}
          />
        )}
      </div>
    </PanelFrame>
  );
}

/** The same in numbers: every pair, the one that changed most first. */
function Pairs({ pairs }: { pairs: readonly Pair[] }) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label="Pairs of columns"
      className="max-h-80 overflow-auto"
    >
      <table className="w-full text-sm">
        <thead className="sticky top-0 bg-card text-text-2 text-xs">
          <tr>
            <th scope="col" className="py-1 text-left font-medium">
              Pair
            </th>
            {MAPS.map(({ name, title }) => (
              <th key={name} scope="col" className="py-1 pl-3 text-right font-medium">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pairs.map((pair) => (
            <tr key={`${pair.one} ${pair.other}`} className="border-line border-t">
              <th scope="row" className="break-words py-1 text-left font-normal">
                {pair.one} × {pair.other}
              </th>
              {MAPS.map(({ name }) => (
                <td key={name} className="whitespace-nowrap py-1 pl-3 text-right">
                  {signed(pair[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
