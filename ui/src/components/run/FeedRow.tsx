import {
  Brain,
  ChartColumn,
  CircleAlert,
  Hand,
  type LucideIcon,
  Package,
  Play,
  RefreshCw,
} from "lucide-react";
import { memo } from "react";
import { RelativeTime } from "@/components/base/Time";
import type { FeedLine, FeedType } from "@/lib/analysis/feed";
import { cn } from "@/lib/cn";
import { count } from "@/lib/format";

const LOOKS = {
  planned: { icon: Brain, word: "Planned", className: "bg-feed-planned-soft text-feed-planned" },
  training: { icon: Play, word: "Running", className: "bg-feed-training-soft text-feed-training" },
  metrics: { icon: ChartColumn, word: "Metrics", className: "bg-feed-metrics-soft text-feed-metrics" },
  error: { icon: CircleAlert, word: "Error", className: "bg-feed-error-soft text-feed-error" },
  backup: { icon: RefreshCw, word: "Backup", className: "bg-feed-backup-soft text-feed-backup" },
  control: { icon: Hand, word: "Control", className: "bg-feed-control-soft text-feed-control" },
  file: { icon: Package, word: "File", className: "bg-feed-file-soft text-feed-file" },
} satisfies Record<FeedType, { icon: LucideIcon; word: string; className: string }>;

export interface FeedRowProps {
  line: FeedLine;
  onOpenItem: (key: string) => void;
}

/** One line of the feed: shape and colour of its type, what happened, when, how often. */
export const FeedRow = memo(
  function FeedRow({ line, onOpenItem }: FeedRowProps) {
    const { icon: Icon, word, className } = LOOKS[line.type];
    return (
      <li className="group relative flex gap-3 pb-3" data-feed={line.type}>
        <span aria-hidden className="absolute top-7 bottom-0 left-3 w-px bg-line group-last:hidden" />
        <span className={cn("grid size-6 shrink-0 place-items-center rounded-full", className)}>
          <Icon aria-hidden size={13} strokeWidth={2.25} />
          <span className="sr-only">{word}</span>
        </span>
        <div className="min-w-0 flex-1 pt-0.5 text-sm">
          <p className="break-words">
            {line.text}
            {line.count > 1 && <span className="text-text-3"> × {count(line.count)}</span>}
          </p>
          <p className="flex min-w-0 gap-2 text-text-3 text-xs">
            <span className="shrink-0">
              {line.count > 1 && "last "}
              <RelativeTime time={line.time} />
            </span>
            <Detail line={line} onOpenItem={onOpenItem} />
          </p>
        </div>
      </li>
    );
  },
  (before, after) =>
    before.line.seq === after.line.seq &&
    before.line.count === after.line.count &&
    before.onOpenItem === after.onOpenItem,
);

function Detail({ line, onOpenItem }: FeedRowProps) {
  const { detail, itemKey } = line;
  if (!detail) return null;
  if (itemKey === undefined) return <span className="min-w-0 break-words">{detail}</span>;
  return (
    <button
      type="button"
      onClick={() => onOpenItem(itemKey)}
      title={detail}
      className="min-w-0 truncate hover:text-text hover:underline"
    >
      {detail}
    </button>
  );
}
