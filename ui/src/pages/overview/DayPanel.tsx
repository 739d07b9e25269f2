import { Link } from "@tanstack/react-router";
import type { RunHeader, Status } from "@/api/types";
import { Card } from "@/components/base/Card";
import { STATUS_LOOKS } from "@/components/base/StatusBadge";
import { EndedRow } from "@/components/fleet/RunRow";
import { useKinds } from "@/components/kinds";
import { count, duration } from "@/lib/format";
import type { Today } from "@/pages/overview/useToday";

const ORDER: readonly Status[] = ["completed", "failed", "cancelled", "paused", "running", "queued"];
const MOST = 8;

/** Today in numbers. */
export function TodayCard({ today }: { today: Today }) {
  return (
    <Card title="Today">
      <div className="flex items-baseline gap-2">
        <span className="font-semibold text-2xl tracking-tight">{count(today.total)}</span>
        <span className="text-text-2">{today.total === 1 ? "run" : "runs"}</span>
      </div>
      <ul className="mt-3 flex flex-wrap gap-x-5 gap-y-1.5 text-sm">
        {ORDER.filter((status) => today.counts[status] > 0).map((status) => {
          const { icon: Icon, label } = STATUS_LOOKS[status];
          return (
            <li key={status} className="flex items-center gap-1.5">
              <Icon aria-hidden size={14} className={COLOURS[status]} />
              <span className="font-medium">{count(today.counts[status])}</span>
              <span className="text-text-2">{label.toLowerCase()}</span>
            </li>
          );
        })}
      </ul>
      <dl className="mt-4 grid grid-cols-2 gap-4 border-line border-t pt-3">
        <div>
          <dt className="text-text-3 text-xs">Median length</dt>
          <dd className="font-medium">{duration(today.medianLength)}</dd>
        </div>
        <div>
          <dt className="text-text-3 text-xs">Median wait</dt>
          <dd className="font-medium">{duration(today.medianWait)}</dd>
        </div>
      </dl>
    </Card>
  );
}

const COLOURS = {
  queued: "text-queued",
  running: "text-running",
  paused: "text-paused",
  completed: "text-completed",
  failed: "text-failed",
  cancelled: "text-cancelled",
} satisfies Record<Status, string>;

/** The runs that ended last. */
export function EndedCard({ runs }: { runs: readonly RunHeader[] }) {
  const { kindOf } = useKinds();
  return (
    <Card
      title="Recently finished"
      padded={false}
      actions={
        <Link to="/runs" className="text-primary text-sm underline-offset-2 hover:underline">
          See all
        </Link>
      }
    >
      {runs.length === 0 ? (
        <p className="px-4 py-6 text-center text-sm text-text-3">Nothing has ended yet.</p>
      ) : (
        <ul className="divide-y divide-line">
          {runs.slice(0, MOST).map((run) => (
            <EndedRow key={run.id} run={run} kind={kindOf(run.kind)} />
          ))}
        </ul>
      )}
    </Card>
  );
}
