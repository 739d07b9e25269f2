import { useCallback, useMemo, useState } from "react";
import type { Item } from "@/api/types";
import { type Arrangement, arrange } from "@/lib/analysis/arrange";
import { type Held, heldRows, hold, isHolding, type Reading } from "@/lib/analysis/hold";

export interface HeldTable {
  /** Rows in their order, cut to the limit. */
  readonly rows: readonly Item[];
  /** Rows that fit the filter, without the limit. */
  readonly fitting: number;
  /** New rows that wait behind "↑ 12 new results". */
  readonly waiting: number;
  /** Let the waiting rows in. */
  readonly release: () => void;
}

/**
 * Items as the table shows them: held, filtered, sorted, cut.
 *
 * @param items Finished items, newest first.
 * @param limit 0 shows all.
 */
export function useHeldRows(
  items: readonly Item[],
  arrangement: Arrangement,
  limit: number,
  reading: Reading,
): HeldTable {
  const [held, setHeld] = useState<Held | null>(null);
  const holding = isHolding(reading);
  if (holding && held === null) setHeld(hold(items));
  if (!holding && held !== null) setHeld(null);

  const { rows: known, waiting: all } = useMemo(
    () => heldRows(items, holding ? held : null),
    [items, holding, held],
  );
  const arranged = useMemo(() => arrange(known, arrangement), [known, arrangement]);
  const waiting = useMemo(
    () => (all === 0 ? 0 : countFitting(items, held, arrangement)),
    [all, items, held, arrangement],
  );
  const release = useCallback(() => setHeld(hold(items)), [items]);
  const rows = useMemo(() => (limit > 0 ? arranged.slice(0, limit) : arranged), [arranged, limit]);
  return { rows, fitting: arranged.length, waiting, release };
}

/** Of the waiting rows, those that the filter would show. */
function countFitting(items: readonly Item[], held: Held | null, { conditions, text }: Arrangement): number {
  if (held === null) return 0;
  const fresh: Item[] = [];
  for (const item of items) {
    if (item.seq <= held.newest) break;
    if (!held.places.has(item.key)) fresh.push(item);
  }
  return arrange(fresh, { sort: null, conditions, text }).length;
}
