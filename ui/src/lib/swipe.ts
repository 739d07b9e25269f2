/** A finger that draws over the glass: sideways between tabs, down to send a sheet away. */

import type { TouchEvent } from "react";

export type Direction = "left" | "right" | "up" | "down";

const FAR = 56;
/** How much longer the way must be than it is wide. */
const STRAIGHT = 1.8;
const SLOW_MS = 700;

/** Where a stroke went, in pixels; null for one that is short, slow or slanting. */
export function directionOf(right: number, down: number, ms: number): Direction | null {
  const [wide, high] = [Math.abs(right), Math.abs(down)];
  if (ms > SLOW_MS || Math.max(wide, high) < FAR) return null;
  if (wide > high * STRAIGHT) return right > 0 ? "right" : "left";
  if (high > wide * STRAIGHT) return down > 0 ? "down" : "up";
  return null;
}

/** Whether something between the touched element and `box` scrolls along the way of the finger, or holds text to edit. */
function isTaken(target: Element, box: Element, isSideways: boolean): boolean {
  for (let at: Element | null = target; at !== null && at !== box; at = at.parentElement) {
    if (at.matches("input, textarea, select, [role=slider], [role=separator]")) return true;
    if (isSideways ? scrollsSideways(at) : at.scrollTop > 0) return true;
  }
  return false;
}

const scrollsSideways = (element: Element): boolean =>
  element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(element).overflowX);

export interface SwipeHandlers {
  onTouchStart: (event: TouchEvent) => void;
  onTouchEnd: (event: TouchEvent) => void;
}

/** Handlers for an element over which one finger swipes. Two fingers zoom, and what scrolls along goes on scrolling. */
export function swipes(onSwipe: (direction: Direction) => void): SwipeHandlers {
  let from: { x: number; y: number; at: number } | null = null;
  return {
    onTouchStart: ({ touches, timeStamp }) => {
      const finger = touches[0];
      from = finger && touches.length === 1 ? { x: finger.clientX, y: finger.clientY, at: timeStamp } : null;
    },
    onTouchEnd: ({ changedTouches, timeStamp, target, currentTarget }) => {
      const finger = changedTouches[0];
      if (from === null || finger === undefined) return;
      const direction = directionOf(finger.clientX - from.x, finger.clientY - from.y, timeStamp - from.at);
      from = null;
      if (direction === null || !(target instanceof Element)) return;
      const isSideways = direction === "left" || direction === "right";
      if (!isTaken(target, currentTarget, isSideways)) onSwipe(direction);
    },
  };
}
