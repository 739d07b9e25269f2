/** One way to call the server: `request("/runs/…")`. Every refusal becomes an `ApiError`. */

import type { ErrorBody, Status } from "@/api/types";

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface FieldError {
  /** Dotted path below `params`. */
  field: string;
  message: string;
}

/** What the server refused, in its words; `status` 0 means that it was not reached at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What one can do about it. */
    readonly hint: string | null = null,
    /** Dotted path of the bad field, such as `params.cases.3.truth`. */
    readonly field: string | null = null,
    readonly requestId: string | null = null,
    /** The run's status, where a control was refused. */
    readonly runStatus: Status | null = null,
    /** All bad fields, where there may be several. */
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
  }
}

type Listener = () => void;
const signedOut = new Set<Listener>();

/** Be told when the server no longer knows this browser. Returns how to stop. */
export function onSignedOut(listener: Listener): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

/**
 * Call `/api` + `path`.
 *
 * @returns The answer's JSON, `undefined` for an empty one.
 * @throws ApiError With the server's message, hint and field.
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  if (!response.ok) throw refusal(response, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

const AWAY: ReadonlySet<number> = new Set([0, 502, 503, 504]);
const WAITS_MS = [300, 1000, 2000, 5000];

/** Whether an error passes by itself: the server restarts, or the way to it is cut. */
export function isAway(error: unknown): boolean {
  return error instanceof ApiError && AWAY.has(error.status);
}

/** The same for what a page cannot do without: asked again, without end, while the server is away. */
export async function requestPatiently<T>(path: string, signal: AbortSignal): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await request<T>(path, { signal });
    } catch (error) {
      if (signal.aborted || !isAway(error)) throw error;
      await new Promise((done) => setTimeout(done, WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]));
    }
  }
}

async function send(
  path: string,
  { method = "GET", body, headers, signal }: RequestOptions,
): Promise<Response> {
  const init: RequestInit = {
    method,
    credentials: "same-origin",
    headers: { Accept: "application/json", "Content-Type": "application/json", ...headers },
  };
  if (method !== "GET") init.body = JSON.stringify(body ?? {});
  if (signal) init.signal = signal;
  try {
    return await fetch(`/api${path}`, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(
      0,
      "unreachable",
      "The server cannot be reached.",
      "Your runs keep going. Try again in a moment.",
    );
  }
}

function refusal(response: Response, text: string): ApiError {
  if (response.status === 401) for (const listener of signedOut) listener();
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    return new ApiError(
      response.status,
      error.code,
      error.message,
      error.hint ?? null,
      error.field ?? null,
      error.request_id ?? null,
      error.status ?? null,
      error.errors ?? [],
    );
  } catch {
    return new ApiError(
      response.status,
      "http",
      `The server answered ${response.status} ${response.statusText}.`.trim(),
    );
  }
}

/** `?a=1&b=x` from what is set; an array repeats its key, empty values are left out. */
export function query(
  values: Record<string, string | number | boolean | readonly string[] | null | undefined>,
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "" || value === false) continue;
    if (Array.isArray(value)) for (const one of value) search.append(key, one);
    else search.set(key, value === true ? "1" : String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
