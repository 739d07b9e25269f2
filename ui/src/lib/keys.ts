/**
 * Keyboard shortcuts, in scopes: two actions on one key in one scope are a mistake and throw.
 *
 * A key is a single letter (`n`), two pressed one after the other (`g r`), or
 * `mod+k`. None works while a text field, a menu or a dialog has the focus,
 * except those with `mod`.
 */

import { useEffect, useRef } from "react";

export interface Shortcut {
  keys: string;
  label: string;
  run: () => void;
}

interface Entry extends Shortcut {
  scope: string;
}

const PREFIX_MS = 1200;
let entries: Entry[] = [];
let prefix = "";
let prefixTimer: ReturnType<typeof setTimeout> | undefined;

/** Everything that can be pressed now, by scope, for the key sheet. */
export const shortcuts = (): readonly Entry[] => entries;

/** Register shortcuts while the component is mounted. */
export function useShortcuts(scope: string, list: readonly Shortcut[]): void {
  const latest = useRef(list);
  latest.current = list;
  const names = list.map(({ keys }) => keys).join("|");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the actions are read when the key is pressed.
  useEffect(() => {
    const mine = latest.current.map((shortcut, index) => ({
      ...shortcut,
      scope,
      run: () => latest.current[index]?.run(),
    }));
    for (const { keys } of mine)
      if (entries.some((entry) => entry.scope === scope && entry.keys === keys))
        throw new Error(`two shortcuts on ${keys} in ${scope}`);
    if (entries.length === 0) document.addEventListener("keydown", press);
    entries = [...entries, ...mine];
    return () => {
      entries = entries.filter((entry) => !mine.includes(entry));
      if (entries.length === 0) document.removeEventListener("keydown", press);
    };
  }, [scope, names]);
}

/** Whether keys belong to what has the focus, and not to the page. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest("input, textarea, select, [contenteditable=true], dialog, [role=menu], [role=listbox]") !==
    null
  );
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey) return;
  const mod = event.metaKey || event.ctrlKey;
  if (!mod && isTyping(event.target)) return;
  const key = mod ? `mod+${event.key.toLowerCase()}` : event.key;
  const entry = find(prefix ? `${prefix} ${key}` : key) ?? find(key);
  clearTimeout(prefixTimer);
  prefix = "";
  if (entry) {
    event.preventDefault();
    entry.run();
  } else if (!mod && entries.some((one) => one.keys.startsWith(`${key} `))) {
    prefix = key;
    prefixTimer = setTimeout(() => {
      prefix = "";
    }, PREFIX_MS);
  }
}

/** The newest scope wins: a page's key outranks the shell's. */
const find = (keys: string): Entry | undefined => entries.findLast((entry) => entry.keys === keys);
