import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { follow, type Intent } from "@/lib/analysis/follow";

export interface Following {
  readonly isFollowing: boolean;
  /** Follow, or stop following. */
  readonly ask: (follow: boolean) => void;
}

/**
 * Keep a scrolling box at its end until the reader moves up.
 *
 * @param version Anything that changes when content was added.
 */
export function useFollow(box: RefObject<HTMLElement | null>, version: unknown): Following {
  const [isFollowing, setFollowing] = useState(true);
  const current = useRef(true);
  const hear = useCallback((intent: Intent) => {
    current.current = follow(current.current, intent);
    setFollowing(current.current);
  }, []);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    return listen(element, hear);
  }, [box, hear]);

  // Jumps, never smooth: a smooth scroll would run behind the end for ever.
  // biome-ignore lint/correctness/useExhaustiveDependencies: new content is what moves the end
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && current.current) element.scrollTop = element.scrollHeight;
  }, [box, version, isFollowing]);

  const ask = useCallback((wanted: boolean) => hear({ type: "ask", follow: wanted }), [hear]);
  return { isFollowing, ask };
}

/** Turn what the reader does with the box into intents. Returns how to stop. */
function listen(element: HTMLElement, hear: (intent: Intent) => void): () => void {
  let fingerY = 0;
  let dragTop: number | null = null;
  const stop = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(type: K, act: (event: HTMLElementEventMap[K]) => void) =>
    element.addEventListener(type, act, { signal: stop.signal, passive: true });

  on("wheel", (event) => hear({ type: "wheel", deltaY: event.deltaY }));
  on("touchstart", (event) => {
    fingerY = event.touches[0]?.clientY ?? 0;
  });
  on("touchmove", (event) => {
    const y = event.touches[0]?.clientY ?? 0;
    hear({ type: "touch", deltaY: y - fingerY });
    fingerY = y;
  });
  on("keydown", (event) => hear({ type: "key", key: event.key }));
  // A press on the box itself, and not on what is in it, is a press on its scroll bar.
  on("pointerdown", (event) => {
    dragTop = event.target === element ? element.scrollTop : null;
  });
  on("pointerup", () => {
    dragTop = null;
  });
  on("scroll", () => {
    if (dragTop !== null) hear({ type: "drag", deltaY: element.scrollTop - dragTop });
    hear({ type: "place", toEnd: element.scrollHeight - element.clientHeight - element.scrollTop });
  });
  document.addEventListener(
    "selectionchange",
    () => {
      const selection = document.getSelection();
      if (selection?.isCollapsed === false && element.contains(selection.anchorNode))
        hear({ type: "select" });
    },
    { signal: stop.signal },
  );
  return () => stop.abort();
}
