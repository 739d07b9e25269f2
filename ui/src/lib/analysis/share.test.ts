import { halfWidthPoints, wilson } from "@/lib/analysis/share";

describe("wilson", () => {
  // Where the score test just rejects: (share − p)² = z²·p(1−p)/n, solved by bisection in 30 digits.
  test.each([
    [44, 50, 0.761952, 0.943824],
    [5, 5, 0.565518, 1],
    [0, 10, 0, 0.277533],
    [1, 2, 0.094531, 0.905469],
    [168, 200, 0.782859, 0.884326],
  ])("%i of %i", (hits, count, low, high) => {
    const interval = wilson(hits, count);

    expect(interval?.low).toBeCloseTo(low, 6);
    expect(interval?.high).toBeCloseTo(high, 6);
  });

  test("nothing is known of nothing", () => {
    expect(wilson(0, 0)).toBeNull();
  });

  test("half the width is told in whole points", () => {
    expect(halfWidthPoints({ hits: 44, count: 50, errors: 0 })).toBe(9);
  });
});
