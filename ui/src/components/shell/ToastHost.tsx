import { lazy, Suspense, useEffect, useState } from "react";
import { type Kept, onNotice } from "@/live/notices";

const Toasts = lazy(() => import("@/components/shell/Toasts"));

/** Loads the toasts when there is something to say. */
export function ToastHost() {
  const [first, setFirst] = useState<Kept[] | null>(null);
  const waiting = first === null;
  useEffect(() => {
    if (!waiting) return;
    return onNotice((notice) => setFirst([notice]));
  }, [waiting]);
  return first ? (
    <Suspense fallback={null}>
      <Toasts first={first} />
    </Suspense>
  ) : null;
}
