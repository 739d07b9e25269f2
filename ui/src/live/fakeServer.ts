/** For tests. */
import type { Frame } from "@/api/types";

export const event = (seq: number): Frame =>
  ({
    run_id: "r1",
    seq,
    type: "log",
    time: "2026-01-31T09:30:00.125Z",
    data: { level: "info", source: "job", text: `${seq}` },
  }) as Frame;

/** A server whose answers the test writes; remembers what was asked. */
export class FakeServer {
  readonly urls: string[] = [];
  answer: (url: string) => Response | Promise<Response> = () => new Response(null, { status: 502 });
  private pipe: ReadableStreamDefaultController<Uint8Array> | null = null;

  fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    this.urls.push(url);
    const response = this.answer(url);
    return await new Promise((resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      Promise.resolve(response).then(resolve, reject);
    });
  };

  stream(): Response {
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (pipe) => {
          this.pipe = pipe;
        },
      }),
    );
  }

  write(...frames: Frame[]): void {
    const text = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("");
    this.pipe?.enqueue(new TextEncoder().encode(text || ": hb\n\n"));
  }

  hangUp(): void {
    this.pipe?.close();
  }
}
