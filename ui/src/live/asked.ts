/**
 * What this browser has asked of runs and not yet seen obeyed.
 *
 * It lies over the runs instead of being written into them: taking it back
 * cannot rewind anything that the stream has told meanwhile.
 */

import { ApiError, request } from "@/api/client";
import type { Control, ControlAnswer, RunHeader, Strength } from "@/api/types";
import { say } from "@/live/notices";
import type { Asked } from "@/live/types";

const SLOW_MS = 2000;
const GIVE_UP_MS = 10_000;

export interface AskOptions {
  strength?: Strength;
  force?: boolean;
  reason?: string;
  /** When a pause ends by itself: a time, or a duration such as `15m`. */
  until?: string;
  /** The run's name, for the sentence that tells a refusal. */
  name?: string;
}

interface Entry extends Asked {
  /** From this event on the log itself tells what became of it. */
  until: number;
  timers: ReturnType<typeof setTimeout>[];
}

const entries = new Map<string, Entry>();
/** How far each run's log was seen; the stream may be faster than the answer. */
const heads = new Map<string, number>();
const listeners = new Set<() => void>();
let version = 0;

export const onAsked = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const askedVersion = (): number => version;
export const askedOf = (id: string): Asked | null => entries.get(id) ?? null;

/** A run with what was asked of it laid over. */
export function withAsked<T extends RunHeader>(run: T): T {
  const entry = entries.get(run.id);
  return entry && run.pending !== entry.control ? { ...run, pending: entry.control } : run;
}

/** Ask, and say so at once. Resolves to whether the server took it. */
export async function ask(id: string, control: Control, options: AskOptions = {}): Promise<boolean> {
  const { name, ...body } = options;
  const entry = begin(id, control, name);
  try {
    const answer = await request<ControlAnswer>(`/runs/${encodeURIComponent(id)}/${control}`, {
      method: "POST",
      body,
    });
    accepted(id, entry, answer);
    return true;
  } catch (error) {
    refused(id, entry, control, name, error);
    return false;
  }
}

/** Lay what was asked of several runs over them at once, for a call that steers them together. */
export function askMany(
  ids: readonly string[],
  control: Control,
): (answers: readonly (ControlAnswer | { run_id: string })[]) => void {
  const begun = ids.map((id) => [id, begin(id, control, undefined)] as const);
  return (answers) => {
    for (const [id, entry] of begun) {
      const answer = answers.find((one) => one.run_id === id);
      if (answer && "status" in answer) accepted(id, entry, answer);
      else drop(id, entry);
    }
  };
}

function begin(id: string, control: Control, name: string | undefined): Entry {
  const old = entries.get(id);
  if (old) drop(id, old);
  const entry: Entry = { control, stage: "asking", until: Number.POSITIVE_INFINITY, timers: [] };
  entry.timers = [
    setTimeout(() => advance(id, entry, "slow"), SLOW_MS),
    setTimeout(() => giveUp(id, entry, name), GIVE_UP_MS),
  ];
  entries.set(id, entry);
  tell();
  return entry;
}

function advance(id: string, entry: Entry, stage: Asked["stage"]): void {
  if (entries.get(id) !== entry || entry.stage === "accepted") return;
  entry.stage = stage;
  entries.set(id, entry);
  tell();
}

function accepted(id: string, entry: Entry, answer: ControlAnswer): void {
  if (!answer.changed && answer.pending !== entry.control) {
    drop(id, entry);
    return;
  }
  advance(id, entry, "accepted");
  entry.until = answer.event_seq ?? 0;
  if ((heads.get(id) ?? 0) >= entry.until) drop(id, entry);
}

function refused(id: string, entry: Entry, control: Control, name: string | undefined, error: unknown): void {
  drop(id, entry);
  const detail = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError && error.hint ? ` ${error.hint}` : "";
  say({
    key: `run:${id}:control`,
    level: "error",
    text: `Could not ${control} ${name ?? "the run"}.`,
    detail: detail + hint,
  });
}

function giveUp(id: string, entry: Entry, name: string | undefined): void {
  if (entries.get(id) !== entry) return;
  const answered = entry.stage === "accepted";
  drop(id, entry);
  if (answered) return;
  say({
    key: `run:${id}:control`,
    level: "error",
    text: `No answer about ${name ?? "the run"}.`,
    detail: "It may still get your request; its state here is the server's.",
  });
}

/** The log has reached `run.head`: what it now tells outranks what was asked. */
export function seen(run: RunHeader): void {
  heads.set(run.id, Math.max(run.head, heads.get(run.id) ?? 0));
  const entry = entries.get(run.id);
  if (entry && run.head >= entry.until) drop(run.id, entry);
}

function drop(id: string, entry: Entry): void {
  for (const timer of entry.timers) clearTimeout(timer);
  if (entries.get(id) !== entry) return;
  entries.delete(id);
  tell();
}

function tell(): void {
  version += 1;
  for (const listener of listeners) listener();
}
