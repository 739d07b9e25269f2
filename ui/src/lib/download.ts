/**
 * Downloads that can be paused and go on where they stopped.
 *
 * They live outside React: a download goes on while one looks at another tab. What
 * has come is kept as blobs, which browsers move out of memory.
 */

import { Sha256 } from "@/lib/sha256";

export type DownloadPhase = "running" | "paused" | "broken" | "checking" | "done" | "failed";

export interface DownloadState {
  readonly phase: DownloadPhase;
  /** Bytes that are here. */
  readonly done: number;
  readonly total: number;
  /** Bytes per second over the last seconds; null before that is known. */
  readonly speed: number | null;
  /** Why it stopped. */
  readonly error: string | null;
}

export interface Wanted {
  readonly url: string;
  /** What the browser calls the file. */
  readonly filename: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Wait before a further try. */
  readonly rest: (ms: number) => Promise<void>;
  /** Hand the whole file to the user. */
  readonly save: (file: Blob, filename: string) => void;
  /** Larger files are hashed piece by piece. */
  readonly wholeBytes?: number;
}

const PIECE_BYTES = 4_000_000;
/** Hashed at once, so that the page stays quick. */
const HASHED_BYTES = 1_000_000;
const TOLD_MS = 100;
const SPEED_MS = 3_000;
const WAITS_MS = [500, 1_000, 2_000, 4_000];
/** Up to this the browser's own SHA-256 is asked, which is faster and holds the file in memory. */
const WHOLE_BYTES = 512_000_000;

const BROWSER: Surroundings = {
  fetch: (...args) => fetch(...args),
  now: () => performance.now(),
  rest: (ms) => new Promise((done) => setTimeout(done, ms)),
  save: saveAs,
};

export class Download {
  #state: DownloadState;
  #pieces: Blob[] = [];
  #loose: Uint8Array<ArrayBuffer>[] = [];
  #looseBytes = 0;
  #etag: string | null = null;
  #abort: AbortController | null = null;
  #marks: (readonly [at: number, done: number])[] = [];
  #toldAt = 0;
  readonly #listeners = new Set<() => void>();

  constructor(
    readonly wanted: Wanted,
    readonly around: Surroundings = BROWSER,
  ) {
    this.#state = {
      phase: "paused",
      done: 0,
      total: wanted.bytes,
      speed: null,
      error: null,
    };
  }

  get state(): DownloadState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begin, or go on. Returns when it is over, paused or broken. */
  async start(): Promise<void> {
    const { phase } = this.#state;
    if (phase === "running" || phase === "checking") return;
    if (phase === "failed" || phase === "done") this.#forget();
    const abort = new AbortController();
    this.#abort = abort;
    this.#marks = [];
    this.#tell({ phase: "running", error: null, speed: null });
    if (await this.#fetchAll(abort.signal)) await this.#finish();
  }

  /** True when all has come; else it was stopped, and the state says why. */
  async #fetchAll(signal: AbortSignal): Promise<boolean> {
    for (let tries = 0; ; tries += 1) {
      const before = this.#state.done;
      try {
        await this.#fetch(signal);
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        if (this.#state.done > before) tries = 0;
        const stop = stopOf(error, tries);
        if (stop) {
          this.#tell({ ...stop, speed: null });
          return false;
        }
        await this.around.rest(WAITS_MS[tries] ?? 0);
      }
    }
  }

  pause(): void {
    if (this.#state.phase !== "running") return;
    this.#abort?.abort();
    this.#tell({ phase: "paused", speed: null });
  }

  cancel(): void {
    this.#abort?.abort();
    this.#forget();
    this.#tell({ phase: "paused", speed: null, error: null });
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { done, total } = this.#state;
    if (done >= total && total > 0) return;
    const response = await this.#ask(done, signal);
    if (response.status === 200 && done > 0) this.#forget(); // it is another version by now
    this.#etag = response.headers.get("etag");
    const reader = response.body?.getReader();
    while (reader) {
      const { done: isOver, value } = await reader.read();
      if (signal.aborted) return;
      if (isOver) break;
      this.#take(value);
    }
    if (this.#state.done < this.#state.total) throw new Error("cut short");
  }

  /** The answer from a place on; only while the file is still the same, else from its begin. */
  async #ask(done: number, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: "*/*" };
    if (done > 0 && this.#etag) {
      headers.Range = `bytes=${done}-`;
      headers["If-Range"] = this.#etag;
    }
    const response = await this.around.fetch(this.wanted.url, {
      headers,
      signal,
      credentials: "same-origin",
    });
    if (response.status >= 500) throw new Error(String(response.status));
    if (!response.ok) throw new Refused(await wordsOf(response));
    return response;
  }

  #take(chunk: Uint8Array<ArrayBuffer>): void {
    this.#loose.push(chunk);
    this.#looseBytes += chunk.byteLength;
    if (this.#looseBytes >= PIECE_BYTES) this.#bundle();
    const now = this.around.now();
    const done = this.#state.done + chunk.byteLength;
    const isDue = now - this.#toldAt >= TOLD_MS;
    this.#state = { ...this.#state, done };
    if (!isDue) return;
    this.#toldAt = now;
    this.#marks = [...this.#marks.filter(([at]) => now - at <= SPEED_MS), [now, done]];
    const [first] = this.#marks;
    const seconds = first ? (now - first[0]) / 1000 : 0;
    this.#tell(first && seconds > 0.2 ? { speed: (done - first[1]) / seconds } : {});
  }

  #bundle(): void {
    if (this.#loose.length > 0) this.#pieces.push(new Blob(this.#loose));
    this.#loose = [];
    this.#looseBytes = 0;
  }

  async #finish(): Promise<void> {
    this.#bundle();
    const file = new Blob(this.#pieces);
    this.#tell({ phase: "checking", speed: null });
    const digest = await digestOf(file, this.around.wholeBytes ?? WHOLE_BYTES);
    if (digest !== this.wanted.sha256) {
      this.#forget();
      this.#tell({ phase: "failed", error: "What came is not what was saved: its hash differs." });
      return;
    }
    this.around.save(file, this.wanted.filename);
    this.#pieces = [];
    this.#tell({ phase: "done" });
  }

  #forget(): void {
    this.#pieces = [];
    this.#loose = [];
    this.#looseBytes = 0;
    this.#etag = null;
    this.#state = { ...this.#state, done: 0 };
  }

  #tell(change: Partial<DownloadState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The server will never send it. */
class Refused extends Error {}

/** What stops a download for now or for good; null: try again. */
function stopOf(error: unknown, tries: number): Pick<DownloadState, "phase" | "error"> | null {
  if (error instanceof Refused) return { phase: "failed", error: error.message };
  return tries < WAITS_MS.length ? null : { phase: "broken", error: "The connection was lost." };
}

async function wordsOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error: { message: string } };
    return error.message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

/** SHA-256 in hex. A very large file, or one over an unsafe connection, is read piece by piece. */
async function digestOf(file: Blob, wholeBytes: number): Promise<string> {
  if (globalThis.crypto?.subtle && file.size <= wholeBytes) {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += HASHED_BYTES)
    hash.update(new Uint8Array(await file.slice(at, at + HASHED_BYTES).arrayBuffer()));
  return hash.hex();
}

function saveAs(file: Blob, filename: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = filename;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const known = new Map<string, Download>();

/** The download of one version of a file; the same however often it is asked for. */
export function downloadOf(wanted: Wanted): Download {
  const key = `${wanted.url} ${wanted.sha256}`;
  const found = known.get(key) ?? new Download(wanted);
  known.set(key, found);
  return found;
}
