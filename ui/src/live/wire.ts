/** This tab's end of the shared connection. Everything the server says comes through here. */

import type { Frame } from "@/api/types";
import { tellConnection, tellFrames } from "@/live/console";
import type { Place } from "@/live/link";
import type { ToTab, ToWorker } from "@/live/messages";
import { Switchboard, type Tab } from "@/live/switchboard";
import type { Connection } from "@/live/types";

export interface WireEars {
  onFrames: (frames: Frame[]) => void;
  onAt: (id: string, seq: number) => void;
}

let send: ((message: ToWorker) => void) | null = null;
let connection: Connection = { state: "connecting", retryAt: null, tries: 0, freshAt: null, behind: 0 };
const connectionListeners = new Set<() => void>();
const watched = new Map<string, Place>();

/** Connect this tab, once. */
export function openWire(ears: WireEars): void {
  if (send) return;
  const hear = (message: ToTab) => {
    if ("frames" in message) {
      connection = { ...connection, freshAt: Date.now() };
      tellFrames(message.frames);
      ears.onFrames(message.frames);
    } else if ("at" in message) ears.onAt(message.at.id, message.at.seq);
    else changed(message.connection);
  };
  const connect = () => {
    send = typeof SharedWorker === "undefined" ? joinHere(hear) : joinWorker(hear);
    for (const [id, place] of watched) send({ do: "watch", id, place });
  };
  connect();
  addEventListener("pagehide", () => send?.({ do: "leave" }));
  addEventListener("pageshow", (event) => event.persisted && connect());
  addEventListener("online", () => send?.({ do: "try" }));
  document.addEventListener("visibilitychange", () => document.hidden || send?.({ do: "try" }));
}

function joinWorker(hear: (message: ToTab) => void): (message: ToWorker) => void {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: "pilothouse",
  });
  worker.port.onmessage = (event: MessageEvent<ToTab>) => hear(event.data);
  worker.onerror = () => {
    // A browser that refuses the worker gets a stream of its own.
    send = joinHere(hear);
    for (const [id, place] of watched) send({ do: "watch", id, place });
  };
  return (message) => worker.port.postMessage(message);
}

function joinHere(hear: (message: ToTab) => void): (message: ToWorker) => void {
  const board = new Switchboard();
  const tab: Tab = { send: hear };
  board.join(tab);
  return (message) => board.hear(tab, message);
}

export function watch(id: string, place: Place): void {
  watched.set(id, place);
  send?.({ do: "watch", id, place });
}

export function unwatch(id: string): void {
  watched.delete(id);
  send?.({ do: "unwatch", id });
}

export const tryNow = (): void => send?.({ do: "try" });

function changed(next: Connection): void {
  connection = next;
  tellConnection(next);
  for (const listener of connectionListeners) listener();
}

export const readConnection = (): Connection => connection;

export function onConnection(listener: () => void): () => void {
  connectionListeners.add(listener);
  return () => connectionListeners.delete(listener);
}
