import { describe, expect, it, vi } from "vitest";
import { patiently } from "@/lib/patiently";

describe("a lazy part of the page", () => {
  it("is asked for again while the server is away", async () => {
    vi.useFakeTimers();
    const load = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module: /a.js"))
      .mockResolvedValueOnce("part");

    const loading = patiently(load)();
    await vi.advanceTimersByTimeAsync(600);

    expect(await loading).toBe("part");
    vi.useRealTimers();
  });

  it("fails at once when it is broken itself", async () => {
    const load = () => Promise.reject(new SyntaxError("unexpected token"));

    await expect(patiently(load)()).rejects.toThrow("unexpected token");
  });
});
