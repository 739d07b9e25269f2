/** What this browser remembers about how it likes things; saved at once. */

import { useSyncExternalStore } from "react";

export interface Settings {
  theme: "system" | "light" | "dark";
  density: "normal" | "compact";
  motion: "system" | "off";
  time: "relative" | "local" | "utc";
  /** Rows a live table shows; 0 means all. */
  rows: 50 | 200 | 1000 | 0;
  sound: boolean;
  volume: number;
  notify: boolean;
  notifyOn: { completed: boolean; failed: boolean; stuck: boolean };
}

export const DEFAULTS: Settings = {
  theme: "system",
  density: "normal",
  motion: "system",
  time: "relative",
  rows: 50,
  sound: false,
  volume: 0.5,
  notify: false,
  notifyOn: { completed: true, failed: true, stuck: true },
};

const KEY = "pilothouse.settings";
const listeners = new Set<() => void>();
let current = load();

function load(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = (): Settings => current;

export function changeSettings(changes: Partial<Settings>): void {
  current = { ...current, ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Storage is full or forbidden: the choice holds until the page is closed.
  }
  applyLooks();
  for (const listener of listeners) listener();
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, settings);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const darkSystem = () =>
  typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;

export const isDark = (): boolean => current.theme === "dark" || (current.theme === "system" && darkSystem());

/** Put theme, density and motion onto the document, as `public/theme.js` does before the first paint. */
export function applyLooks(): void {
  const root = document.documentElement;
  root.classList.toggle("dark", isDark());
  root.toggleAttribute("data-density", current.density === "compact");
  if (current.density === "compact") root.dataset.density = "compact";
  root.toggleAttribute("data-motion", current.motion === "off");
  if (current.motion === "off") root.dataset.motion = "off";
}

/** Follow the other tabs and the system's theme. Returns how to stop. */
export function followLooks(): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const reload = (event: StorageEvent) => {
    if (event.key !== KEY) return;
    current = load();
    applyLooks();
    for (const listener of listeners) listener();
  };
  const repaint = () => {
    applyLooks();
    for (const listener of listeners) listener();
  };
  window.addEventListener("storage", reload);
  system.addEventListener("change", repaint);
  return () => {
    window.removeEventListener("storage", reload);
    system.removeEventListener("change", repaint);
  };
}
