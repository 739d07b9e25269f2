import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { cn } from "@/lib/cn";

/** What is hidden of a table when nothing but its own padding is. */
const PADDING_PX = 16;

/** A table that may be wider than its place. A fade at the right edge says that there is more beyond it. */
export function SideScroll({ className, children }: { className?: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  return (
    <div className="relative min-w-0">
      <div ref={box} className={cn("overflow-x-auto", className)}>
        {children}
      </div>
      <MoreBeyond box={box} />
    </div>
  );
}

/** The fade itself, over a box that scrolls sideways. It lies beside the box, in what both stand in. */
export function MoreBeyond({ box, version }: { box: RefObject<HTMLElement | null>; version?: unknown }) {
  const [bar, setBar] = useState<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other content may be as wide as the box, or wider
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = () => {
      const hidden = element.scrollWidth - element.clientWidth - element.scrollLeft;
      setBar(hidden > PADDING_PX ? element.offsetWidth - element.clientWidth : null);
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(look);
    for (const one of [element, ...element.children]) observer?.observe(one);
    return () => {
      element.removeEventListener("scroll", look);
      observer?.disconnect();
    };
  }, [box, version]);
  if (bar === null) return null;
  return (
    <div
      aria-hidden
      data-more=""
      className="pointer-events-none absolute inset-y-0 z-10 w-10 bg-linear-to-l from-card to-transparent"
      style={{ right: bar }}
    />
  );
}
