import { lazy, Suspense, useEffect, useState } from "react";
import { patiently } from "@/lib/patiently";
import { type Kept, onNotice } from "@/live/notices";

const load = patiently(() => import("@/components/shell/Toasts"));
const Toasts = lazy(load);
const SETTLED_MS = 2000;

/** The toasts load once the page has settled, so that the first one is not late. */
export function ToastHost() {
  const [first, setFirst] = useState<Kept[] | null>(null);
  const waiting = first === null;
  useEffect(() => {
    const timer = setTimeout(() => void load(), SETTLED_MS);
    return () => clearTimeout(timer);
  }, []);
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
