import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { StopDialog } from "@/components/fleet/StopDialog";
import { useKinds } from "@/components/kinds";
import { useStuck } from "@/components/run/useStatus";
import { briefly, count } from "@/lib/format";
import { useNow } from "@/lib/now";
import { snooze, useSnoozed } from "@/lib/snooze";
import { capital } from "@/lib/status";

/** Names the runs that look stuck; stopping them sends exactly these names. */
export function StuckAlert({ runs }: { runs: readonly RunHeader[] }) {
  const now = useNow();
  const isSnoozed = useSnoozed();
  const [hidden, setHidden] = useState("");
  const [asking, setAsking] = useState(false);
  // A run that gets stuck later is told in spite of a snooze of others.
  const shown = runs.filter((run) => !isSnoozed(run.id, now)).sort((one, other) => one.number - other.number);
  const ids = shown.map((run) => run.id);
  const isHidden = shown.length === 0 || hidden === ids.join();
  return (
    <>
      {!isHidden && (
        <section
          aria-label="Stuck runs"
          className="overflow-hidden rounded-lg border border-stuck bg-stuck-soft text-stuck-text"
        >
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
            <TriangleAlert aria-hidden size={18} className="shrink-0" />
            <h2 className="grow font-semibold text-sm">
              {shown.length === 1 ? "1 run looks stuck" : `${count(shown.length)} runs look stuck`}
            </h2>
            <div className="flex items-center gap-2 max-md:w-full max-md:justify-between">
              <Button size="sm" className="text-text" onClick={() => setAsking(true)}>
                Stop all stuck
              </Button>
              <Button size="sm" look="ghost" className={QUIET} onClick={() => snooze(ids)}>
                Snooze 10 min
              </Button>
              <Button size="sm" look="ghost" className={QUIET} onClick={() => setHidden(ids.join())}>
                Hide
              </Button>
            </div>
          </div>
          <ul className="divide-y divide-stuck/20 border-stuck/30 border-t">
            {shown.map((run) => (
              <StuckRow key={run.id} run={run} />
            ))}
          </ul>
        </section>
      )}
      {asking && <StopDialog runs={shown} stuck onClose={() => setAsking(false)} />}
    </>
  );
}

const QUIET = "text-stuck-text! hover:bg-stuck/15!";

function StuckRow({ run }: { run: RunHeader }) {
  const { kindOf } = useKinds();
  const kind = kindOf(run.kind);
  const stuck = useStuck(run, kind);
  if (stuck === null) return null;
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 px-4 py-2 text-sm">
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
        no {kind.unit} for {briefly(stuck.seconds)} (limit {briefly(stuck.limit)})
      </span>
      {stuck.cause && <span>{capital(stuck.cause)}.</span>}
    </li>
  );
}
