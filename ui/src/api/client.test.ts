import { afterEach, describe, expect, it, vi } from "vitest";
import { requestPatiently } from "@/api/client";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("what a page cannot do without", () => {
  it("is asked for until the server is back", async () => {
    vi.useFakeTimers();
    const fetch = vi
      .fn()
      .mockRejectedValueOnce(new TypeError("Failed to fetch"))
      .mockResolvedValueOnce(new Response("{}", { status: 503 }))
      .mockResolvedValueOnce(new Response('{"items": []}'));
    vi.stubGlobal("fetch", fetch);

    const asking = requestPatiently("/runs/1/items", new AbortController().signal);
    await vi.advanceTimersByTimeAsync(2_000);

    expect(await asking).toEqual({ items: [] });
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it("is not asked again when the server refuses it", async () => {
    const body = '{"error": {"code": "not_found", "message": "no such run"}}';
    vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(body, { status: 404 })));

    const asking = requestPatiently("/runs/1/items", new AbortController().signal);

    await expect(asking).rejects.toThrow("no such run");
  });
});
