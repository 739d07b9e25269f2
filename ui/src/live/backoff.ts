const SECONDS = [0, 1, 3, 5, 10, 20, 30];

/** Milliseconds before try number `failures`: 0, 1, 3, 5, 10, 20, 30 s for ever, ±25 % so that browsers do not come in step. */
export function backoff(failures: number, random: () => number = Math.random): number {
  const seconds = SECONDS[Math.min(Math.max(failures - 1, 0), SECONDS.length - 1)] ?? 30;
  return seconds * 1000 * (0.75 + random() / 2);
}
