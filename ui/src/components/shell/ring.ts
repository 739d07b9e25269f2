/**
 * Sound and browser notifications, both off until switched on.
 *
 * Of several tabs one rings: the one that holds the lock.
 */

import type { RunHeader } from "@/api/types";
import { settings } from "@/lib/settings";

const EVERY_MS = 5000;
const LONG_ENOUGH_SECONDS = 30;
let rings = typeof navigator === "undefined" || !("locks" in navigator);
let lastSound = 0;

if (!rings)
  void navigator.locks.request("pilothouse.bell", () => {
    rings = true;
    return new Promise(() => {}); // Held until the tab closes.
  });

/** Two rising notes for success, two falling for failure. */
export function playSound(success: boolean, volume = settings().volume): void {
  const audio = new AudioContext();
  const gain = audio.createGain();
  gain.connect(audio.destination);
  for (const [index, pitch] of (success ? [523.25, 783.99] : [392, 261.63]).entries()) {
    const note = audio.createOscillator();
    const start = audio.currentTime + index * 0.14;
    note.type = "sine";
    note.frequency.value = pitch;
    note.connect(gain);
    note.start(start);
    note.stop(start + 0.13);
  }
  const end = audio.currentTime + 0.3;
  gain.gain.setValueAtTime(volume * 0.3, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, end);
  setTimeout(() => void audio.close(), 600);
}

/** Ring for a run that ended or got stuck, as far as the settings allow. */
export function ring(run: RunHeader): void {
  if (!rings) return;
  const { sound, notify, notifyOn } = settings();
  const what = run.stuck
    ? "stuck"
    : run.status === "completed"
      ? "completed"
      : run.status === "failed"
        ? "failed"
        : null;
  if (what === null || !notifyOn[what]) return;
  if (sound && Date.now() - lastSound > EVERY_MS) {
    lastSound = Date.now();
    playSound(what === "completed");
  }
  const isLong = run.active_seconds >= LONG_ENOUGH_SECONDS || what === "stuck";
  if (notify && isLong && document.hidden && Notification.permission === "granted") show(run, what);
}

function show(run: RunHeader, what: string): void {
  const notification = new Notification(`${run.name} ${what === "stuck" ? "looks stuck" : what}`, {
    tag: run.id,
    body:
      run.failure?.message ??
      `${run.progress.done} ${run.progress.total === null ? "done" : `of ${run.progress.total}`}`,
    icon: "/favicon.svg",
  });
  notification.onclick = () => {
    window.focus();
    location.assign(`/runs/${run.id}`);
  };
}
