import { useEffect, useRef, useState } from "react";

/** A value that changes at most every `ms`; the last one always arrives. */
export function useThrottled<T>(value: T, ms: number): T {
  const [shown, setShown] = useState(value);
  const changedAt = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, changedAt.current + ms - Date.now());
    const timer = setTimeout(() => {
      changedAt.current = Date.now();
      setShown(() => value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return shown;
}

/** The value as it was when the view was frozen. */
export function useFrozen<T>(value: T, isFrozen: boolean): T {
  const [kept, setKept] = useState<{ value: T } | null>(null);
  if (isFrozen && kept === null) setKept({ value });
  if (!isFrozen && kept !== null) setKept(null);
  return isFrozen && kept !== null ? kept.value : value;
}
