/** What a run in a list does now, in words. */

import type { Kind, RunHeader } from "@/api/types";
import { inHand } from "@/lib/analysis/sentence";

/** "Step 3 of 8: Training · Test 201 of 500: qwen × strict", its notice, or nothing yet. */
export function placeWords(run: RunHeader, kind: Kind): string {
  const words = [stepWords(run), run.current && inHand(run, kind)].filter(Boolean);
  return words.join(" · ") || run.notice || "";
}

/** A process that somebody started by hand needs no slot. */
const waits = (run: RunHeader) => run.status === "queued" && !run.attached;

/** A queued run's place among those that wait, from 1; null for any other run. */
export function placeInLine(run: RunHeader, runs: readonly RunHeader[]): number | null {
  if (!waits(run)) return null;
  const isBefore = (other: RunHeader) =>
    waits(other) &&
    (other.priority > run.priority || (other.priority === run.priority && other.number < run.number));
  return runs.filter(isBefore).length + 1;
}

/** "next in line", "2nd in line"; nothing for a run that does not wait. */
export function lineWords(run: RunHeader, runs: readonly RunHeader[]): string | null {
  const place = placeInLine(run, runs);
  if (place === null) return null;
  return place === 1 ? "next in line" : `${ordinal(place)} in line`;
}

/** 1st, 2nd, 3rd, 11th. */
export function ordinal(place: number): string {
  const isTeen = Math.floor(place / 10) % 10 === 1;
  return `${place}${(!isTeen && ["", "st", "nd", "rd"][place % 10]) || "th"}`;
}

/** "Step 3 of 8: Training" of a running run; only the phase's name where it is the only one. */
export function stepWords({ phase, status }: RunHeader): string | null {
  if (phase === null || status !== "running") return null;
  const { name, index, of } = phase;
  if (index === null || of === null) return name;
  return of > 1 ? `Step ${index} of ${of}: ${name}` : null;
}
