/** What the page has to say: shown as toasts, kept in the bell. One subject has one notice. */

import { useSyncExternalStore } from "react";

export type Level = "info" | "success" | "error";

export interface Notice {
  /** Its subject, such as `run:bench_…:state`: a new notice replaces the old one. */
  key: string;
  level: Level;
  text: string;
  detail?: string | undefined;
  action?: { label: string; to?: string; run?: () => void } | undefined;
  /** True only rings in the list, without a toast. */
  quiet?: boolean;
}

export interface Kept extends Notice {
  time: number;
  times: number;
  read: boolean;
}

const MOST = 100;
let kept: readonly Kept[] = [];
const listeners = new Set<() => void>();
const speakers = new Set<(notice: Kept) => void>();

export function say(notice: Notice): void {
  const same = kept.find((one) => one.key === notice.key && one.text === notice.text);
  const next: Kept = { ...notice, time: Date.now(), times: (same?.times ?? 0) + 1, read: false };
  kept = [next, ...kept.filter((one) => one.key !== notice.key)].slice(0, MOST);
  tell();
  if (!notice.quiet) for (const speak of speakers) speak(next);
}

export function markRead(): void {
  kept = kept.map((one) => ({ ...one, read: true }));
  tell();
}

export function clearNotices(): void {
  kept = [];
  tell();
}

export const onNotice = (speak: (notice: Kept) => void): (() => void) => {
  speakers.add(speak);
  return () => speakers.delete(speak);
};

export const useNotices = (): readonly Kept[] => useSyncExternalStore(subscribe, () => kept);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}
