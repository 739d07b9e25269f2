import { Link, useRouterState } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { Tooltip } from "@/components/base/Tooltip";
import { COMPARE, NEW_RUN, OVERVIEW, PLACES, type Place, RUNS, SETTINGS } from "@/components/shell/nav";
import { cn } from "@/lib/cn";
import { useFleet } from "@/live/hooks";

/** "3 running", with ▲ when one of them is stuck. */
export function RunningBadge({ small = false }: { small?: boolean }) {
  const { running, stuck } = useFleet();
  if (running === 0) return null;
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1 rounded-full bg-running-soft font-medium text-running-text",
        small ? "px-1.5 text-2xs leading-4" : "px-2 py-0.5 text-xs",
      )}
    >
      {small ? running : `${running} running`}
      {stuck > 0 && (
        <TriangleAlert
          aria-label={`${stuck} stuck`}
          role="img"
          size={small ? 10 : 12}
          className="text-stuck"
        />
      )}
    </span>
  );
}

/** A run belongs to Runs, the form for a new one does not. */
function useIsExact(): (place: Place) => boolean {
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (place) => place === OVERVIEW || place === NEW_RUN || (place === RUNS && path === NEW_RUN.to);
}

/** Words, from 1024 pixels on. */
export function WordNav() {
  const isExact = useIsExact();
  return (
    <nav aria-label="Main" className="flex items-center gap-1 max-lg:hidden">
      {PLACES.map((place) => (
        <Tooltip key={place.to} text={place.label} shortcut={place.keys} side="bottom">
          <Link
            to={place.to}
            activeOptions={{ exact: isExact(place) }}
            className="flex h-8 items-center gap-2 rounded-md px-3 font-medium text-sm text-text-2 transition-colors hover:bg-hover hover:text-text aria-[current=page]:bg-hover aria-[current=page]:text-text"
          >
            {place.label}
            {place === RUNS && <RunningBadge />}
          </Link>
        </Tooltip>
      ))}
    </nav>
  );
}

/** Icons at the left, 768 to 1023 pixels. */
export function RailNav() {
  const isExact = useIsExact();
  return (
    <nav
      aria-label="Main"
      className="sticky top-(--bar) flex h-[calc(100dvh-var(--bar))] w-14 shrink-0 flex-col items-center gap-1 border-line border-r bg-card py-3 max-md:hidden lg:hidden"
    >
      {[...PLACES, NEW_RUN].map((place) => (
        <Tooltip key={place.to} text={place.label} shortcut={place.keys} side="right">
          <Link
            to={place.to}
            aria-label={place.label}
            activeOptions={{ exact: isExact(place) }}
            className="relative grid size-10 place-items-center rounded-lg text-text-2 hover:bg-hover hover:text-text aria-[current=page]:bg-hover aria-[current=page]:text-primary"
          >
            <place.icon aria-hidden size={19} />
            {place === RUNS && (
              <span className="absolute -top-0.5 -right-0.5">
                <RunningBadge small />
              </span>
            )}
          </Link>
        </Tooltip>
      ))}
    </nav>
  );
}

/** The thumb's bar, below 768 pixels. */
export function BottomNav() {
  const isExact = useIsExact();
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-30 grid h-(--foot) grid-cols-5 border-line border-t bg-card pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {[OVERVIEW, RUNS, NEW_RUN, COMPARE, SETTINGS].map((place) => (
        <Link
          key={place.to}
          to={place.to}
          activeOptions={{ exact: isExact(place) }}
          className="relative flex flex-col items-center justify-center gap-0.5 text-2xs text-text-2 aria-[current=page]:text-primary"
        >
          <place.icon aria-hidden size={20} />
          {place.label}
          {place === RUNS && (
            <span className="absolute top-1 left-1/2 ml-2">
              <RunningBadge small />
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}
