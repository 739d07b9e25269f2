const WAITS_MS = [500, 1000, 2000, 5000];

/**
 * A loader of a lazy part that tries again for as long as the server is away:
 * a restart in the wrong second must not take a part of the page for good.
 */
export function patiently<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await load();
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        await new Promise((done) => setTimeout(done, WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]));
      }
    }
  };
}

/** Chromium, Firefox and WebKit each say it in their own words; a module that fails by itself says something else. */
function isUnreachable(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    /dynamically imported module|importing a module|load failed/i.test(error.message)
  );
}
