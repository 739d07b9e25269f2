import { useRef, useState } from "react";
import type { RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { useNow } from "@/lib/now";

const STAY_MS = 10_000;

/** The runs under way, oldest first so that nothing jumps. One that ends stays 10 seconds, or as long as `held` has it. */
export function useCards(runs: readonly RunHeader[], held: string | null): RunHeader[] {
  const now = useNow();
  const seenLive = useRef(new Set<string>());
  const cards = runs.filter((run) => {
    if (!isTerminal(run.status)) {
      seenLive.current.add(run.id);
      return true;
    }
    if (!seenLive.current.has(run.id)) return false;
    const age = now - new Date(run.ended_at ?? now).getTime();
    return age < STAY_MS || run.id === held;
  });
  return cards.sort((one, other) => one.number - other.number);
}

/** The run whose card the pointer or the focus is on. */
export function useHeld(): [
  string | null,
  { onPointerOver: Listener; onPointerLeave: () => void; onFocus: Listener; onBlur: () => void },
] {
  const [held, setHeld] = useState<string | null>(null);
  const take: Listener = (event) => {
    const card = (event.target as Element).closest<HTMLElement>("[data-run]");
    setHeld(card?.dataset.run ?? null);
  };
  const leave = () => setHeld(null);
  return [held, { onPointerOver: take, onPointerLeave: leave, onFocus: take, onBlur: leave }];
}

type Listener = (event: { target: EventTarget }) => void;
