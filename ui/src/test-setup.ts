import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { fleet } from "@/live/fleet";

// Files share their modules, so what a test leaves behind is taken away here.
afterEach(() => {
  cleanup();
  fleet.take([...fleet.runs.keys()].map((id) => ({ type: "run.deleted", data: { id } })));
  vi.useRealTimers();
  vi.unstubAllGlobals();
  localStorage.clear();
  sessionStorage.clear();
});
