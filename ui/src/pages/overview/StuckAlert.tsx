import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { StopDialog } from "@/components/fleet/StopDialog";
import { useKinds } from "@/components/kinds";
import { clock, count, duration } from "@/lib/format";
import { useNow } from "@/lib/now";

const SNOOZE_MS = 10 * 60_000;

/** Names the runs that look stuck; stopping them sends exactly these names. */
export function StuckAlert({ runs }: { runs: readonly RunHeader[] }) {
  const now = useNow();
  const { kindOf } = useKinds();
  const [snoozed, setSnoozed] = useState<{ until: number; ids: string }>({ until: 0, ids: "" });
  const [asking, setAsking] = useState(false);
  const ids = runs.map((run) => run.id).join();
  // A run that gets stuck later is told in spite of the snooze.
  const isHidden = runs.length === 0 || (now < snoozed.until && snoozed.ids === ids);
  if (isHidden && !asking) return null;
  return (
    <section
      aria-label="Stuck runs"
      className="overflow-hidden rounded-lg border border-stuck bg-stuck-soft text-stuck-text"
    >
      <div className="flex flex-wrap items-center gap-2 px-4 py-2.5">
        <TriangleAlert aria-hidden size={18} />
        <h2 className="grow font-semibold text-sm">
          {runs.length === 1 ? "1 run looks stuck" : `${count(runs.length)} runs look stuck`}
        </h2>
        <Button size="sm" onClick={() => setAsking(true)}>
          Stop all stuck
        </Button>
        <Button size="sm" look="ghost" onClick={() => setSnoozed({ until: now + SNOOZE_MS, ids })}>
          Snooze 10 min
        </Button>
        <Button size="sm" look="ghost" onClick={() => setSnoozed({ until: Number.POSITIVE_INFINITY, ids })}>
          Hide
        </Button>
      </div>
      <ul className="border-stuck/30 border-t">
        {runs.map((run) => {
          const kind = kindOf(run.kind);
          const silent = run.last_event_at ? (now - new Date(run.last_event_at).getTime()) / 1000 : null;
          return (
            <li key={run.id} className="flex flex-wrap items-center gap-x-3 px-4 py-2 text-sm">
              <Link
                to="/runs/$runId"
                params={{ runId: run.id }}
                className="font-semibold underline-offset-2 hover:underline"
              >
                {run.name}
              </Link>
              <span>
                {kind.title} · {count(run.progress.done)}/{count(run.progress.total)} {kind.units}
              </span>
              <span>
                no news for {clock(silent)} (limit {duration(kind.stuck_seconds).replace(" 00s", "")})
              </span>
            </li>
          );
        })}
      </ul>
      {asking && <StopDialog runs={runs} stuck onClose={() => setAsking(false)} />}
    </section>
  );
}
