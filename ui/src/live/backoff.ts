const CAPS = [1, 3, 5, 10, 20, 30];

/**
 * Milliseconds before try number `failures`: anything between nothing and 1, 3, 5, 10, 20, then 30 s for ever.
 *
 * A thousand browsers that lose the same server come back all over that time.
 */
export function backoff(failures: number, random: () => number = Math.random): number {
  const cap = CAPS[Math.min(Math.max(failures, 1), CAPS.length) - 1] ?? 30;
  return cap * 1000 * random();
}
