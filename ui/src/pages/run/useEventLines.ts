import { useCallback, useMemo, useState } from "react";
import { query, requestPatiently } from "@/api/client";
import type { EventsPage, RunEvent } from "@/api/types";
import { useRunEvents } from "@/live/hooks";
import { Batched, useBatched } from "@/pages/run/batch";
import { type Loading, useLoading } from "@/pages/run/useLoading";

export interface EventLines extends Loading {
  /** Oldest first. */
  readonly events: readonly RunEvent[];
  /** Nothing older is left, neither on the server nor beyond what is kept here. */
  readonly isWhole: boolean;
  readonly isReady: boolean;
}

/** The newest events of some types, then the live ones. At most `most` are kept. */
export function useEventLines(
  runId: string,
  types: readonly string[],
  limit: number,
  most: number,
): EventLines {
  const [load, setLoad] = useState({ isReady: false, isWhole: false });
  const wanted = types.join(",");
  const { log, batched } = useMemo(() => newLog(runId, wanted, most), [runId, wanted, most]);

  useRunEvents(runId, {
    onEvents: (events) => {
      if (events.map((event) => log.add(event)).some(Boolean)) batched.touch();
    },
    onReset: () => {
      log.clear();
      loading.reload();
    },
  });

  const loading = useLoading(
    useCallback(
      async (signal) => {
        const path = `/runs/${encodeURIComponent(runId)}/events${query({ types: wanted, newest: true, limit })}`;
        const { events, cut } = await requestPatiently<EventsPage>(path, signal);
        for (const event of events) log.add(event);
        batched.commit();
        setLoad({ isReady: true, isWhole: events.length < limit && !cut });
      },
      [runId, wanted, limit, log, batched],
    ),
  );

  const events = useBatched(batched);
  return useMemo(
    () => ({ events, ...load, isWhole: load.isWhole && !log.isCut, ...loading }),
    [events, load, loading, log],
  );
}

/** Events by seq, so that what comes twice is kept once. */
class EventLog {
  /** More came than is kept. */
  isCut = false;
  #events = new Map<number, RunEvent>();
  #newest = 0;
  #isOrdered = true;

  constructor(
    private readonly types: ReadonlySet<string>,
    private readonly most: number,
  ) {}

  add(event: RunEvent): boolean {
    if (!this.types.has(event.type) || this.#events.has(event.seq)) return false;
    this.#isOrdered &&= event.seq > this.#newest;
    this.#newest = Math.max(this.#newest, event.seq);
    this.#events.set(event.seq, event);
    return true;
  }

  clear(): void {
    this.#events.clear();
    this.#newest = 0;
    this.isCut = false;
  }

  list(): readonly RunEvent[] {
    let events = [...this.#events.values()];
    if (!this.#isOrdered) events.sort((a, b) => a.seq - b.seq);
    this.isCut ||= events.length > this.most;
    if (!this.#isOrdered || events.length > this.most) {
      events = events.slice(-this.most);
      this.#events = new Map(events.map((event) => [event.seq, event]));
      this.#isOrdered = true;
    }
    return events;
  }
}

function newLog(_runId: string, wanted: string, most: number) {
  const log = new EventLog(new Set(wanted.split(",")), most);
  return { log, batched: new Batched(() => log.list()) };
}
