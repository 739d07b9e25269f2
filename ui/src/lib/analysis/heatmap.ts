/** Rows × columns of shares, with totals on both edges. */

import { isFinished, isTrue, nameOf, type Row } from "@/lib/analysis/row";
import { addShares, NO_SHARE, type Share, shareOf } from "@/lib/analysis/share";

export interface HeatmapFields {
  readonly rows: string;
  readonly columns: string;
  readonly value: string;
}

export interface Heatmap {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly cells: ReadonlyMap<string, Share>;
  readonly rowTotals: ReadonlyMap<string, Share>;
  readonly columnTotals: ReadonlyMap<string, Share>;
  readonly total: Share;
  /** Rows whose share nobody beats; empty while there is nothing to compare. */
  readonly best: ReadonlySet<string>;
}

/**
 * Count every finished item into its cell.
 *
 * @param expectedRows Names that will come, such as the groups a job announced: they
 *   get an empty row at once, so that the table does not grow under the reader.
 */
export function heatmap(
  items: readonly Row[],
  fields: HeatmapFields,
  expectedRows: readonly string[] = [],
): Heatmap {
  const cells = new Map<string, Share>();
  const rowTotals = new Map<string, Share>();
  const columnTotals = new Map<string, Share>();
  let total = NO_SHARE;
  for (const item of items) {
    const row = nameOf(item, fields.rows);
    const column = nameOf(item, fields.columns);
    if (!isFinished(item) || row === null || column === null) continue;
    const one = oneItem(item, fields.value);
    add(cells, cellKey(row, column), one);
    add(rowTotals, row, one);
    add(columnTotals, column, one);
    total = addShares(total, one);
  }
  const rows = withExpected([...rowTotals.keys()], expectedRows);
  const columns = [...columnTotals.keys()].sort(compareNames);
  return { rows, columns, cells, rowTotals, columnTotals, total, best: bestOf(rowTotals) };
}

export function cellKey(row: string, column: string): string {
  return JSON.stringify([row, column]);
}

export function oneItem(item: Row, value: string): Share {
  return { count: 1, hits: isTrue(item, value) ? 1 : 0, errors: item.state === "failed" ? 1 : 0 };
}

/** Numbers inside names count as numbers: v2 before v10. */
export function compareNames(a: string, b: string): number {
  return COLLATOR.compare(a, b);
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

function add(shares: Map<string, Share>, name: string, one: Share): void {
  shares.set(name, addShares(shares.get(name) ?? NO_SHARE, one));
}

/** Expected names belong to this axis only when every name seen is among them. */
function withExpected(seen: string[], expected: readonly string[]): string[] {
  const known = new Set(expected);
  const isSameAxis = seen.every((name) => known.has(name));
  return isSameAxis && expected.length > 0 ? [...expected] : seen.sort(compareNames);
}

function bestOf(totals: ReadonlyMap<string, Share>): ReadonlySet<string> {
  if (totals.size < 2) return new Set();
  const best = Math.max(...[...totals.values()].map((share) => shareOf(share) ?? 0));
  const winners = [...totals].filter(([, share]) => shareOf(share) === best).map(([name]) => name);
  return new Set(best > 0 && winners.length < totals.size ? winners : []);
}
