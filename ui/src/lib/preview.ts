/** What a resume or a retry would do, in words. */

import type { Preview } from "@/api/types";
import { counted, duration, money } from "@/lib/format";

/** "210 kept · 1 repeated · 289 left · about 4m · about $0.12"; what is unknown is left out. */
export function previewWords({ kept, repeated, left, seconds, cost }: Preview): string {
  return [
    `${kept} kept`,
    repeated > 0 && `${repeated} repeated`,
    left === null ? "the rest left" : `${left} left`,
    typeof seconds === "number" && `about ${roundly(seconds)}`,
    typeof cost === "number" && `about ${money(cost)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Items that will be done; null while unknown. */
export const todoOf = ({ repeated, left }: Preview): number | null =>
  left === null ? null : repeated + left;

/** As rough as a forecast is: 40 s, 4 min, 1h 05m. */
export function roundly(seconds: number): string {
  if (seconds < 60) return duration(Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : duration(minutes * 60);
}

/** "1 test is in hand and is done again", or nothing. */
export const repeatWords = (count: number, unit: string, units: string): string =>
  `${counted(count, unit, units)} ${count === 1 ? "was" : "were"} in hand and ${count === 1 ? "is" : "are"} done again`;
