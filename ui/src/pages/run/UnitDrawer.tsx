import { useMemo } from "react";
import { ItemDrawer } from "@/components/run/ItemDrawer";
import { arrange } from "@/lib/analysis/arrange";
import { numberOfRow } from "@/lib/analysis/numbering";
import type { RunData } from "@/pages/run/useRunData";
import type { RunUrl } from "@/pages/run/useRunUrl";

export interface UnitDrawerProps {
  data: RunData;
  url: RunUrl;
  isBeside: boolean;
}

/** The open item beside the page; j and k follow the order of the table. */
export function UnitDrawer({ data, url, isBeside }: UnitDrawerProps) {
  const { open, sort, conditions, text } = url.table;
  if (open === null) return null;
  return (
    <OpenUnit
      data={data}
      url={url}
      isBeside={isBeside}
      openKey={open}
      key={JSON.stringify([sort, conditions, text])}
    />
  );
}

function OpenUnit({ data, url, isBeside, openKey }: UnitDrawerProps & { openKey: string }) {
  const { items, kind, run } = data;
  const { sort, conditions, text } = url.table;
  const rows = useMemo(
    () => arrange(items.finished, { sort, conditions, text }),
    [items.finished, sort, conditions, text],
  );
  const at = rows.findIndex((row) => row.key === openKey);
  const item = rows[at] ?? items.finished.find((row) => row.key === openKey);
  if (item === undefined) return null;
  const [previous, next] = [rows[at - 1], at < 0 ? undefined : rows[at + 1]];
  return (
    <ItemDrawer
      item={item}
      number={numberOfRow(item, { items: items.finished, isWhole: items.isWhole, done: run.progress.done })}
      kind={kind}
      isBeside={isBeside}
      onJudge={(verdict) => items.judge(item.key, verdict)}
      onClose={() => url.onTable({ open: null })}
      onPrevious={previous ? () => url.onTable({ open: previous.key }) : null}
      onNext={next ? () => url.onTable({ open: next.key }) : null}
    />
  );
}
