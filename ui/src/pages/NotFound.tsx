import { Link, useRouterState } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState } from "@/components/base/EmptyState";
import { Kbd } from "@/components/base/Kbd";
import { StatusBadge } from "@/components/base/StatusBadge";
import { mine } from "@/lib/mine";
import { useFleet } from "@/live/hooks";

const MOST = 5;

/** 404: where one may have wanted to go. */
export function NotFound() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { runs } = useFleet();
  const opened = mine();
  const lately = runs.filter((run) => opened.includes(run.id)).slice(0, MOST);
  return (
    <EmptyState
      icon={<Compass aria-hidden />}
      isPage
      title="No such page"
      actions={
        <Link to="/" className="font-medium text-primary underline-offset-2 hover:underline">
          To the overview
        </Link>
      }
    >
      <p className="break-all">
        There is nothing at <code className="font-mono text-sm">{path}</code>.
      </p>
      <p className="mt-1 text-sm">
        Search with <Kbd keys="⌘K" />.
      </p>
      {lately.length > 0 && (
        <section className="mt-6 text-left">
          <h2 className="mb-1 font-semibold text-text-3 text-xs">Runs you opened lately</h2>
          <ul className="divide-y divide-line rounded-lg border border-line bg-card">
            {lately.map((run) => (
              <li key={run.id}>
                <Link
                  to="/runs/$runId"
                  params={{ runId: run.id }}
                  className="flex items-center gap-3 px-4 py-2 text-sm hover:bg-hover"
                >
                  <StatusBadge status={run.status} />
                  <span className="truncate">{run.name}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </EmptyState>
  );
}
