import { Repeat2 } from "lucide-react";
import type { Item } from "@/api/types";

export const DUPLICATE_WORDS =
  "An earlier attempt was interrupted while it did this one; effects outside may have happened twice.";

/** Whether an item was begun by an attempt that ended before it was done. */
export const isRepeated = (item: Item): boolean =>
  item.possible_duplicate ?? (item.starts > 1 && item.attempt > 1);

/** A quiet mark on an item that was begun more than once. */
export function DuplicateMark({ item }: { item: Item }) {
  if (!isRepeated(item)) return null;
  return (
    <span title={DUPLICATE_WORDS} className="inline-flex text-text-3">
      <Repeat2 aria-hidden size={13} />
      <span className="sr-only"> begun twice</span>
    </span>
  );
}
