import { Repeat2 } from "lucide-react";
import type { Item } from "@/api/types";

export const DUPLICATE_WORDS =
  "An earlier attempt was interrupted while it did this one; effects outside may have happened twice.";

/** A quiet mark on an item that an earlier attempt had in hand when it ended. */
export function DuplicateMark({ item }: { item: Item }) {
  if (!item.possible_duplicate) return null;
  return (
    <span title={DUPLICATE_WORDS} className="inline-flex text-text-3">
      <Repeat2 aria-hidden size={13} />
      <span className="sr-only"> begun twice</span>
    </span>
  );
}
