import { type RefObject, useLayoutEffect, useRef, useState } from "react";

const UNKNOWN = 480;

/** The width of an element in pixels, followed as it changes. */
export function useWidth<E extends Element>(): [RefObject<E | null>, number] {
  const box = useRef<E>(null);
  const [width, setWidth] = useState(UNKNOWN);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || typeof ResizeObserver === "undefined") return;
    const measure = () =>
      setWidth(Math.max(160, Math.round(element.getBoundingClientRect().width) || UNKNOWN));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
