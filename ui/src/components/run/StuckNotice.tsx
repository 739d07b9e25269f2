import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { useStuck } from "@/components/run/useStatus";
import { focusBack } from "@/lib/focus";
import { briefly } from "@/lib/format";
import { useNow } from "@/lib/now";
import { snooze, useSnoozed } from "@/lib/snooze";
import { stuckSentence } from "@/lib/status";

export interface StuckNoticeProps {
  run: RunHeader;
  kind: Kind;
  onStack: () => void;
  /** Pause and Cancel, as the page has them. */
  controls: ReactNode;
}

/** A run that is alive and does not move: for how long, why as far as is known, and what one can do. */
export function StuckNotice({ run, kind, onStack, controls }: StuckNoticeProps) {
  const now = useNow();
  const isSnoozed = useSnoozed();
  const stuck = useStuck(run, kind);
  if (stuck === null || run.pending === "cancel" || isSnoozed(run.id, now)) return null;
  return (
    <section
      aria-label="This run looks stuck"
      className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-stuck bg-stuck-soft px-4 py-3 text-stuck-text"
    >
      <p className="flex min-w-0 flex-1 basis-80 items-start gap-2.5 text-sm">
        <TriangleAlert aria-hidden size={18} className="mt-px shrink-0" />
        <span>
          <strong className="font-semibold">Stuck {briefly(stuck.seconds)}:</strong>{" "}
          {stuckSentence(stuck.cause, kind)} Its limit is {briefly(stuck.limit)}.
        </span>
      </p>
      <div className="flex flex-wrap items-center gap-2 text-text">
        <Button size="sm" onClick={onStack}>
          View stack
        </Button>
        <span className="contents max-md:hidden">{controls}</span>
        <Button
          size="sm"
          look="ghost"
          className="text-stuck-text! hover:bg-stuck/15!"
          onClick={() => {
            snooze([run.id]);
            focusBack(null);
          }}
        >
          Wait 10 min
        </Button>
      </div>
    </section>
  );
}
