test("a line of nothing but zeros stands on a small scale, not on one to 100", async () => {
  vi.stubGlobal("matchMedia", () => ({ addEventListener() {}, removeEventListener() {} }));
  const { linearRange } = await import("@/components/panels/lines");
  vi.unstubAllGlobals();
  expect(linearRange({} as never, 0, 0)).toEqual([0, 1]);
  expect(linearRange({} as never, null, null)).toEqual([null, null]);
  expect(linearRange({} as never, 0, 20)[1]).toBeGreaterThanOrEqual(20);
});
