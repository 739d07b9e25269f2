import { useMemo, useState } from "react";
import { ConfusionTable } from "@/components/panels/ConfusionTable";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { labelOf, type PanelProps, toggled } from "@/components/panels/view";
import { valuesOf } from "@/lib/analysis/arrange";
import { confusion } from "@/lib/analysis/confusion";
import { compareNames } from "@/lib/analysis/heatmap";
import { nameOf } from "@/lib/analysis/row";
import { counted, percent } from "@/lib/format";

/** Truth × prediction with precision, recall and F1; narrowed down by the fields of `by`. */
export function ConfusionPanel({ panel, view }: PanelProps<"Confusion">) {
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const narrow = useMemo(
    () =>
      Object.entries(chosen)
        .filter(([, value]) => value !== "")
        .map(([field, value]) => ({ field, value })),
    [chosen],
  );
  const items = useMemo(
    () => view.items.filter((item) => narrow.every(({ field, value }) => nameOf(item, field) === value)),
    [view.items, narrow],
  );
  const table = useMemo(() => confusion(items, panel), [items, panel]);
  return (
    <PanelFrame
      title={panel.title}
      actions={panel.by.map((field) => (
        <PanelSelect
          key={field}
          label={labelOf(view.kind, field)}
          options={[
            { value: "", label: `${labelOf(view.kind, field)}: all` },
            ...valuesOf(view.items, field)
              .map(({ value }) => ({ value, label: value }))
              .sort((a, b) => compareNames(a.value, b.value)),
          ]}
          value={chosen[field] ?? ""}
          onChange={(value) => setChosen({ ...chosen, [field]: value })}
        />
      ))}
    >
      {table.count === 0 ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        <>
          <ConfusionTable
            table={table}
            onChoose={(truth, predicted) =>
              view.onFilter(
                toggled(view, [
                  { field: panel.truth, value: truth },
                  { field: panel.predicted, value: predicted },
                  ...narrow,
                ]),
              )
            }
          />
          <p className="mt-2 text-text-3 text-xs">
            {counted(table.count, view.kind.unit, view.kind.units)} · {percent(table.parsed / table.count)}{" "}
            answers read
            {table.errors > 0 && ` · ${table.errors} in error, not counted here`}
          </p>
        </>
      )}
    </PanelFrame>
  );
}
