import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChartSpline } from "lucide-react";
import { useMemo } from "react";
import { runsQuery } from "@/api/queries";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { Skeleton } from "@/components/base/Skeleton";
import { useKinds } from "@/components/kinds";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { useFleet } from "@/live/hooks";
import { CurvesCard } from "@/pages/compare/CurvesCard";
import { chosenOf, toggled } from "@/pages/compare/chosen";
import { MachinesCard } from "@/pages/compare/MachinesCard";
import { RunsCard } from "@/pages/compare/RunsCard";

const NEWEST = { limit: 200 };

/** Several runs of a kind side by side: their curves, their figures, and what the machines were busy with. */
export function ComparePage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { kinds, kindOf } = useKinds();
  const { data, error, refetch } = useQuery(runsQuery(NEWEST));
  const fleet = useFleet();
  const runs = useMemo(() => {
    const all = new Map([...(data?.runs ?? []), ...fleet.runs].map((run) => [run.id, run]));
    return [...all.values()].sort((one, other) => other.number - one.number);
  }, [data, fleet.runs]);
  const chosen = chosenOf(search, kinds, runs);
  const kind = kindOf(chosen.kind);
  const ofKind = runs.filter((run) => run.kind === chosen.kind);
  const compared = chosen.runs
    .map((id) => ofKind.find((run) => run.id === id))
    .filter((run) => run !== undefined);
  const go = (changes: Record<string, string>, replace = true) =>
    void navigate({ to: "/compare", search: { ...search, ...changes }, replace });
  const choices = kinds.filter(
    ({ name, metrics }) => metrics.length > 0 && runs.some((run) => run.kind === name),
  );

  return (
    <div className="mx-auto max-w-7xl space-y-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 tabIndex={-1} className="grow font-semibold text-xl tracking-tight">
          Compare
        </h1>
        {choices.length > 1 && (
          <PanelSelect
            label="Kind"
            value={chosen.kind}
            options={choices.map(({ name, title }) => ({ value: name, label: title }))}
            onChange={(name) => void navigate({ to: "/compare", search: { kind: name } })}
          />
        )}
      </header>
      {error ? (
        <ErrorPanel error={error} onRetry={refetch} />
      ) : data === undefined ? (
        <Skeleton className="h-80 w-full" />
      ) : ofKind.length === 0 ? (
        <EmptyState icon={<ChartSpline aria-hidden />} title="Nothing to compare yet">
          The curves and figures of runs appear here, side by side.
        </EmptyState>
      ) : (
        <>
          <CurvesCard
            runs={compared}
            kind={kind}
            metric={chosen.metric}
            onMetric={(metric) => go({ metric })}
          />
          <RunsCard
            runs={ofKind}
            kind={kind}
            chosen={chosen.runs}
            onToggle={(id) => go({ runs: toggled(chosen.runs, id).join(",") || "," })}
          />
        </>
      )}
      <MachinesCard
        host={search.host}
        hours={Number(search.hours) || 1}
        onChange={(changes) => go(changes)}
      />
    </div>
  );
}
