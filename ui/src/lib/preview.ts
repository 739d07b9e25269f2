/** What a resume or a retry would do, in words. */

import type { Preview } from "@/api/types";
import { count, duration, money } from "@/lib/format";

/** "continues at step 41 of 100"; null where the numbers count items, or nothing is left. */
export const placeWords = ({ kept, total }: Preview, unit: string): string | null =>
  typeof total === "number" && kept < total
    ? `continues at ${unit} ${count(kept + 1)} of ${count(total)}`
    : null;

/** "210 kept · 1 repeated · 289 left · about 4 min · about $0.12"; what is unknown is left out. */
export function previewWords(preview: Preview, unit: string): string {
  const { kept, repeated, left, seconds, cost } = preview;
  return [
    placeWords(preview, unit) ?? `${kept} kept`,
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
