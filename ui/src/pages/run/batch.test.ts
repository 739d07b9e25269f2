import { Batched, COMMIT_MS } from "@/pages/run/batch";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

// rows: S3.115
test("a burst of a thousand changes is drawn once, whole, and within a tenth of a second", () => {
  let count = 0;
  const drawn: number[] = [];
  const store = new Batched(() => count);
  store.subscribe(() => drawn.push(store.read()));

  for (let change = 0; change < 1000; change++) {
    count += 1;
    store.touch();
  }
  expect(store.read()).toBe(0);
  vi.advanceTimersByTime(COMMIT_MS);

  expect(drawn).toEqual([1000]);
  expect(COMMIT_MS).toBeLessThanOrEqual(100);
});
