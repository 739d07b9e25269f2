import { useNavigate } from "@tanstack/react-router";
import { Plus, Square } from "lucide-react";
import { useState } from "react";
import type { RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Card } from "@/components/base/Card";
import { PanelBoundary } from "@/components/base/ErrorPanel";
import { Skeleton } from "@/components/base/Skeleton";
import { RunCard } from "@/components/fleet/RunCard";
import { LiveRow } from "@/components/fleet/RunRow";
import { StopDialog } from "@/components/fleet/StopDialog";
import { useSlots } from "@/components/fleet/useSlots";
import { useKinds } from "@/components/kinds";
import { count } from "@/lib/format";
import { useConnection, useFleet } from "@/live/hooks";
import { EndedCard, TodayCard } from "@/pages/overview/DayPanel";
import { EmptyOverview } from "@/pages/overview/EmptyOverview";
import { StuckAlert } from "@/pages/overview/StuckAlert";
import { useCards, useHeld } from "@/pages/overview/useCards";
import { useToday } from "@/pages/overview/useToday";

const MOST_CARDS = 6;

/** What goes on now: stuck runs first, then the running ones, then the day. */
export function Overview() {
  const fleet = useFleet();
  const today = useToday(fleet);
  const [held, holding] = useHeld();
  const cards = useCards(fleet.runs, held);
  const isKnown = today.all !== null;

  if (!isKnown && !fleet.ready) return <OverviewSkeleton />;
  if (today.all === 0) return <EmptyOverview />;
  const shown = new Set(cards.map((run) => run.id));
  return (
    <div className="mx-auto max-w-7xl space-y-5">
      <h1 tabIndex={-1} className="sr-only">
        Overview
      </h1>
      <StuckAlert
        runs={fleet.runs.filter((run) => run.stuck && run.status === "running" && run.pending !== "cancel")}
      />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="min-w-0 space-y-3" {...holding}>
          <Banner cards={cards} running={fleet.running} />
          <PanelBoundary>
            <Cards cards={cards} />
          </PanelBoundary>
        </div>
        <div className="grid items-start gap-5 md:max-xl:grid-cols-2">
          <TodayCard today={today} />
          <EndedCard runs={today.ended.filter((run) => !shown.has(run.id))} />
        </div>
      </div>
    </div>
  );
}

function Banner({ cards, running }: { cards: readonly RunHeader[]; running: number }) {
  const navigate = useNavigate();
  const slots = useSlots(running);
  const [stopping, setStopping] = useState(false);
  const live = cards.filter((run) => !isTerminal(run.status));
  const queued = live.filter((run) => run.status === "queued").length;
  const paused = live.filter((run) => run.status === "paused").length;
  const facts = [
    slots && slots.hosts > 0 && `${slots.busy} of ${slots.all} slots busy`,
    slots && slots.hosts === 0 && "no host is alive: queued runs wait",
    queued > 0 && `${count(queued)} queued`,
    paused > 0 && `${count(paused)} paused`,
  ].filter(Boolean);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="min-w-0 grow">
        <h2 className="font-semibold text-xl tracking-tight">{runningWords(running)}</h2>
        <p className="text-sm text-text-2">{facts.join(" · ") || "\u00a0"}</p>
      </div>
      {live.length > 1 && (
        <Button icon={<Square aria-hidden />} onClick={() => setStopping(true)}>
          Stop all…
        </Button>
      )}
      <Button
        look="primary"
        className="max-md:hidden"
        icon={<Plus aria-hidden />}
        shortcut="n"
        hint="New run"
        onClick={() => navigate({ to: "/runs/new" })}
      >
        New run
      </Button>
      {stopping && <StopDialog runs={live} onClose={() => setStopping(false)} />}
    </header>
  );
}

function runningWords(running: number): string {
  if (running === 0) return "Nothing is running";
  return running === 1 ? "1 run running" : `${count(running)} runs running side by side`;
}

function Cards({ cards }: { cards: readonly RunHeader[] }) {
  const { kindOf } = useKinds();
  const { state } = useConnection();
  const more = cards.slice(MOST_CARDS);
  if (cards.length === 0)
    return (
      <p className="rounded-lg border border-line border-dashed px-4 py-10 text-center text-sm text-text-3">
        Runs that are queued, running or paused stand here.
      </p>
    );
  return (
    <>
      {cards.slice(0, MOST_CARDS).map((run) => (
        <RunCard key={run.id} run={run} kind={kindOf(run.kind)} isFresh={state === "live"} />
      ))}
      {more.length > 0 && (
        <Card title={`${count(more.length)} more`} padded={false}>
          <div className="max-h-96 divide-y divide-line overflow-y-auto">
            {more.map((run) => (
              <LiveRow key={run.id} run={run} kind={kindOf(run.kind)} />
            ))}
          </div>
        </Card>
      )}
    </>
  );
}

function OverviewSkeleton() {
  return (
    <div className="mx-auto grid max-w-7xl gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="space-y-3">
        <Skeleton className="h-13" />
        <Skeleton className="h-32" />
        <Skeleton className="h-32" />
      </div>
      <div className="space-y-5">
        <Skeleton className="h-44" />
        <Skeleton className="h-72" />
      </div>
    </div>
  );
}
