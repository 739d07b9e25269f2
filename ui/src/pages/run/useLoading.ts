import { useCallback, useEffect, useMemo, useState } from "react";

export interface Loading {
  /** Why it was refused for good; null while there is hope, and when all is here. */
  readonly error: unknown;
  readonly reload: () => void;
}

/** Runs a load, anew when it is another one and when it is asked for. */
export function useLoading(load: (signal: AbortSignal) => Promise<void>): Loading {
  const [round, setRound] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const reload = useCallback(() => setRound((was) => was + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads again
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    load(stop.signal).catch((refusal: unknown) => {
      if (!stop.signal.aborted) setError(refusal);
    });
    return () => stop.abort();
  }, [load, round]);
  return useMemo(() => ({ error, reload }), [error, reload]);
}
