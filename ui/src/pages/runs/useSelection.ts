import { useCallback, useRef, useState } from "react";
import type { RunHeader } from "@/api/types";

export interface Selection {
  ids: ReadonlySet<string>;
  /** `extend` selects everything from the last one to this one. */
  toggle: (id: string, extend: boolean) => void;
  clear: () => void;
}

/** Which rows are selected, by id: rows may come and go. */
export function useSelection(runs: () => readonly RunHeader[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const latest = useRef(runs);
  latest.current = runs;
  const toggle = useCallback((id: string, extend: boolean) => {
    const between = extend && last.current ? span(latest.current(), last.current, id) : [id];
    last.current = id;
    setIds((before) => {
      const after = new Set(before);
      const add = extend || !before.has(id);
      for (const one of between) add ? after.add(one) : after.delete(one);
      return after;
    });
  }, []);
  const clear = useCallback(() => setIds(new Set()), []);
  return { ids, toggle, clear };
}

function span(runs: readonly RunHeader[], from: string, to: string): string[] {
  const [start = 0, end = 0] = [from, to]
    .map((id) => runs.findIndex((run) => run.id === id))
    .sort((a, b) => a - b);
  return start < 0 ? [to] : runs.slice(start, end + 1).map((run) => run.id);
}
