/** One share per value of a field. */

import { compareNames, oneItem } from "@/lib/analysis/heatmap";
import { isFinished, nameOf, type Row } from "@/lib/analysis/row";
import { addShares, NO_SHARE, type Share, shareOf } from "@/lib/analysis/share";

export interface Bar extends Share {
  readonly name: string;
  readonly share: number;
}

/** Bars, the lowest share first when `hardestFirst`; among equals the one with more items. */
export function breakdown(
  items: readonly Row[],
  by: string,
  value: string,
  hardestFirst: boolean,
): readonly Bar[] {
  const shares = new Map<string, Share>();
  for (const item of items) {
    const name = nameOf(item, by);
    if (name === null || !isFinished(item)) continue;
    shares.set(name, addShares(shares.get(name) ?? NO_SHARE, oneItem(item, value)));
  }
  const bars = [...shares].map(([name, share]) => ({ name, ...share, share: shareOf(share) ?? 0 }));
  const sign = hardestFirst ? 1 : -1;
  return bars.sort((a, b) => sign * (a.share - b.share) || b.count - a.count || compareNames(a.name, b.name));
}
