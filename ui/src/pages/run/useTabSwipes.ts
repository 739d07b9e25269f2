import { useMemo, useRef } from "react";
import { type SwipeHandlers, swipes } from "@/lib/swipe";
import type { RunUrl, Tab } from "@/pages/run/useRunUrl";

/** On phones: a finger to the left shows the next tab, to the right the one before; at the ends nothing moves. */
export function useTabSwipes(
  url: Pick<RunUrl, "tab" | "onTab">,
  tabs: readonly Tab[],
  isPhone: boolean,
): Partial<SwipeHandlers> {
  const latest = useRef({ url, tabs });
  latest.current = { url, tabs };
  const handlers = useMemo(
    () =>
      swipes((way) => {
        const { url, tabs } = latest.current;
        const by = { left: 1, right: -1, up: 0, down: 0 }[way];
        const next = tabs[tabs.indexOf(url.tab) + by];
        if (by !== 0 && next !== undefined) url.onTab(next);
      }),
    [],
  );
  return isPhone ? handlers : {};
}
