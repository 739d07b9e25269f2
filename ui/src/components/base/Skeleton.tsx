import { useEffect, useState } from "react";
import { cn } from "@/lib/cn";

/** A block of the final size; invisible for the first 150 ms, so that fast answers do not flicker. */
export function Skeleton({ className }: { className?: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return <div aria-hidden className={cn("rounded-md", shown && "animate-live bg-track", className)} />;
}
