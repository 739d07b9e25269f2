import { useMemo, useState } from "react";
import { ComparisonChart, ComparisonTable } from "@/components/panels/ComparisonChart";
import { PanelEmpty, PanelFrame, TableToggle } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { nameOfItem, type PanelProps, waitingWords } from "@/components/panels/view";
import { type Compared, comparable, compared } from "@/lib/analysis/comparison";
import { decimal, percent } from "@/lib/format";

/** Two distributions per column, the one that differs most first. */
export function ComparisonPanel({ panel, view }: PanelProps<"Comparison">) {
  const [isTable, setTable] = useState(false);
  const [wanted, setWanted] = useState<string | null>(null);
  const [key, setKey] = useState<string | null>(null);
  const items = useMemo(() => comparable(view.items, panel.value), [view.items, panel.value]);
  const item = items.find((one) => one.key === key) ?? items[0];
  const columns = useMemo(() => (item ? compared(item, panel.value) : []), [item, panel.value]);
  const column = columns.find((one) => one.column === wanted) ?? columns[0];
  return (
    <PanelFrame
      title={panel.title}
      note="the column that differs most first"
      actions={
        column && (
          <>
            {items.length > 1 && (
              <PanelSelect
                label={`Which ${view.kind.unit}`}
                value={item?.key ?? ""}
                options={items.map((one, index) => ({
                  value: one.key,
                  label: index === 0 ? `${nameOfItem(one)} (newest)` : nameOfItem(one),
                }))}
                onChange={setKey}
              />
            )}
            <TableToggle isTable={isTable} onChange={setTable} />
          </>
        )
      }
    >
      {column === undefined ? (
        <PanelEmpty>{waitingWords(view.kind, panel.phase)}</PanelEmpty>
      ) : (
        <div className="grid @2xl:grid-cols-[minmax(0,1fr)_16rem] gap-x-6 gap-y-4">
          <div className="@2xl:order-1">
            <ColumnList columns={columns} chosen={column.column} onChoose={setWanted} />
          </div>
          <div className="min-w-0">
            {isTable ? <ComparisonTable column={column} /> : <ComparisonChart column={column} />}
            <Facts column={column} />
          </div>
        </div>
      )}
    </PanelFrame>
  );
}

interface ColumnListProps {
  columns: readonly Compared[];
  chosen: string;
  onChoose: (column: string) => void;
}

function ColumnList({ columns, chosen, onChoose }: ColumnListProps) {
  const most = Math.max(0.2, ...columns.map(({ ks }) => ks ?? 0));
  return (
    <>
      <p className="mb-1 flex justify-between px-2 text-text-3 text-xs">
        <span>Column</span>
        <abbr title="Kolmogorov–Smirnov distance: 0 is alike, 1 is apart" className="no-underline">
          KS
        </abbr>
      </p>
      <ul className="max-h-64 overflow-y-auto @max-2xl:max-h-40">
        {columns.map(({ column, ks }) => (
          <li key={column}>
            <button
              type="button"
              aria-pressed={column === chosen}
              onClick={() => onChoose(column)}
              className="grid w-full grid-cols-[minmax(0,1fr)_3.5rem_2.75rem] items-center gap-2 rounded-md px-2 py-1 text-left text-sm hover:bg-hover aria-pressed:bg-running-soft max-md:min-h-11"
            >
              <span className="truncate" title={column}>
                {column}
              </span>
              <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-track">
                <span
                  className="block h-full rounded-full bg-running"
                  style={{ width: `${((ks ?? 0) / most) * 100}%` }}
                />
              </span>
              <span className="text-right">{ks === null ? "–" : ks.toFixed(3)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Facts({ column }: { column: Compared }) {
  const facts = column.facts.filter(({ isShare, real, synthetic }) => !isShare || real > 0 || synthetic > 0);
  if (facts.length === 0) return null;
  return (
    <p className="mt-2 text-text-2 text-xs">
      {facts
        .map(({ name, real, synthetic, isShare }) => {
          const write = isShare ? percent : decimal;
          return `${name} ${write(real)} real, ${write(synthetic)} synthetic`;
        })
        .join(" · ")}
    </p>
  );
}
