// @vitest-environment jsdom
import { copied } from "@/lib/clipboard";

const execCommand = vi.fn(() => true);

beforeEach(() => Object.assign(document, { execCommand }));
afterEach(() => {
  vi.unstubAllGlobals();
  execCommand.mockReset();
});

test("a browser that offers no clipboard is asked in the old way", async () => {
  vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
  execCommand.mockImplementation(() => document.activeElement?.tagName === "TEXTAREA");

  expect(await copied("run_1")).toBe(true);
  expect(document.querySelector("textarea")).toBeNull();
});

test("what could not be copied is not called copied", async () => {
  vi.stubGlobal("navigator", {
    ...navigator,
    clipboard: { writeText: () => Promise.reject(new Error("no")) },
  });
  execCommand.mockReturnValue(false);

  expect(await copied("run_1")).toBe(false);
});
