import { ArrowDown } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { FeedRow } from "@/components/run/FeedRow";
import { FollowButton } from "@/components/run/FollowButton";
import { useFollow } from "@/components/run/useFollow";
import { collapse, type FeedEvent } from "@/lib/analysis/feed";
import { cn } from "@/lib/cn";
import { counted } from "@/lib/format";

export interface ActivityFeedProps {
  events: readonly FeedEvent[];
  /** All, or errors only. */
  isErrorsOnly: boolean;
  onErrorsOnly: (isErrorsOnly: boolean) => void;
  onOpenItem: (key: string) => void;
  /** Stands where the feed could not be read. */
  refusal?: ReactNode;
  className?: string;
}

/** A timeline, newest at the bottom. It follows until the reader moves up. */
export function ActivityFeed({
  events,
  isErrorsOnly,
  onErrorsOnly,
  onOpenItem,
  refusal,
  className,
}: ActivityFeedProps) {
  const box = useRef<HTMLDivElement>(null);
  const lines = useMemo(
    () => collapse(isErrorsOnly ? events.filter((event) => event.type === "error") : events),
    [events, isErrorsOnly],
  );
  const { isFollowing, ask } = useFollow(box, lines);
  const latest = useRef(onOpenItem);
  latest.current = onOpenItem;
  const open = useCallback((key: string) => latest.current(key), []);
  const missed = useMissed(lines.at(-1)?.seq ?? 0, events, isFollowing);
  return (
    <section aria-label="Activity" className={cn("flex min-h-0 flex-col", className)}>
      <header className="flex h-11 shrink-0 items-center gap-1 border-line border-b px-3">
        <h2 className="mr-auto font-semibold text-sm">Activity</h2>
        <Choice isOn={!isErrorsOnly} onClick={() => onErrorsOnly(false)}>
          All
        </Choice>
        <Choice isOn={isErrorsOnly} onClick={() => onErrorsOnly(true)}>
          Errors
        </Choice>
        <FollowButton isFollowing={isFollowing} ask={ask} />
      </header>
      <div className="relative min-h-0 flex-1">
        <div
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the box scrolls by keyboard
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Events of this run"
          className="absolute inset-0 overflow-y-auto overscroll-contain px-3 py-2"
        >
          {refusal}
          {lines.length === 0 ? (
            !refusal && (
              <p className="py-8 text-center text-sm text-text-3">
                {isErrorsOnly ? "No errors" : "Nothing has happened yet"}
              </p>
            )
          ) : (
            <ol>
              {lines.map((line) => (
                <FeedRow key={line.firstSeq} line={line} onOpenItem={open} />
              ))}
            </ol>
          )}
        </div>
        {!isFollowing && missed > 0 && (
          <button
            type="button"
            onClick={() => ask(true)}
            className="absolute bottom-3 left-1/2 flex min-h-9 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line-strong bg-card px-3 font-medium text-sm shadow-pop hover:bg-hover max-md:min-h-11"
          >
            <ArrowDown aria-hidden size={14} />
            {counted(missed, "new event", "new events")}
          </button>
        )}
      </div>
    </section>
  );
}

/** How many events came since the reader stopped following. */
function useMissed(newest: number, events: readonly FeedEvent[], isFollowing: boolean): number {
  const [stoppedAt, setStoppedAt] = useState<number | null>(null);
  if (isFollowing && stoppedAt !== null) setStoppedAt(null);
  if (!isFollowing && stoppedAt === null) setStoppedAt(newest);
  if (stoppedAt === null) return 0;
  return events.reduce((count, event) => count + (event.seq > stoppedAt ? 1 : 0), 0);
}

function Choice({ isOn, onClick, children }: { isOn: boolean; onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      onClick={onClick}
      className={cn(
        "h-7 rounded-md px-2 text-xs hover:bg-hover max-md:h-11 max-md:px-3",
        isOn ? "font-medium text-text" : "text-text-3",
      )}
    >
      {children}
    </button>
  );
}
