import { Flag, type LucideIcon, ThumbsDown, ThumbsUp } from "lucide-react";
import type { Item, Verdict } from "@/api/types";

interface Look {
  icon: LucideIcon;
  label: string;
  /** As something that was done. */
  done: string;
  chip: string;
  mark: string;
}

export const VERDICTS: readonly Verdict[] = ["keep", "drop", "flag"];

export const VERDICT_LOOKS = {
  keep: {
    icon: ThumbsUp,
    label: "Keep",
    done: "Kept",
    chip: "bg-completed-soft text-completed-text",
    mark: "text-completed-text",
  },
  drop: {
    icon: ThumbsDown,
    label: "Drop",
    done: "Dropped",
    chip: "bg-failed-soft text-failed-text",
    mark: "text-fail",
  },
  flag: {
    icon: Flag,
    label: "Flag",
    done: "Flagged",
    chip: "bg-paused-soft text-paused-text",
    mark: "text-paused-text",
  },
} satisfies Record<Verdict, Look>;

/** What a person says of an item, as a sign beside its number. */
export function VerdictMark({ item }: { item: Item }) {
  if (!item.judged) return null;
  const { icon: Icon, done, mark } = VERDICT_LOOKS[item.judged.verdict];
  return (
    <span title={`${done} by ${item.judged.by}`} className={`inline-flex ${mark}`}>
      <Icon aria-hidden size={13} />
      <span className="sr-only"> {done.toLowerCase()} by hand</span>
    </span>
  );
}
