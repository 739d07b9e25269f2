/**
 * What the stream does, in the browser's console at debug level: nothing is seen there unless it is asked for.
 *
 * The tab tells it, since a SharedWorker has a console of its own.
 */

import type { Frame } from "@/api/types";
import type { Connection } from "@/live/types";

// biome-ignore lint/suspicious/noConsole: this is the one place that is meant for it.
const tell = (words: string): void => console.debug(`[pilothouse] ${words}`);

/** A connection that has changed. */
export function tellConnection(connection: Connection): void {
  tell(connectionWords(connection));
}

function connectionWords({ state, retryAt, tries, behind }: Connection): string {
  if (state === "catching-up") return `catching up, ${behind} events to go`;
  if (retryAt === null) return state;
  return `${state}, try ${tries} in ${Math.max(0, Math.round(retryAt - Date.now()))} ms`;
}

/** News of a run, in one line however many there are. */
export function tellFrames(frames: readonly Frame[]): void {
  const byRun = new Map<string, string[]>();
  for (const frame of frames) {
    const id = frame.type === "run" ? frame.data.id : ("run_id" in frame && frame.run_id) || "server";
    byRun.set(id, [...(byRun.get(id) ?? []), frame.type]);
  }
  for (const [id, types] of byRun) tell(`${id}: ${counted(types)}`);
}

function counted(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => (count === 1 ? type : `${count} × ${type}`)).join(", ");
}
