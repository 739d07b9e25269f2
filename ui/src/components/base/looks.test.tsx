import { render, screen } from "@testing-library/react";
import type { Status } from "@/api/types";
import { ProgressBar } from "@/components/base/ProgressBar";
import { LiveDot, StatusBadge } from "@/components/base/StatusBadge";
import { TooltipProvider } from "@/components/base/Tooltip";

const progress = { done: 200, failed: 3, reused: 0, total: 500, marks: [], groups: {} };
const shown = (element: React.ReactElement) => render(<TooltipProvider>{element}</TooltipProvider>).container;
const badge = (status: Status, large = false) => {
  const chip = shown(<StatusBadge status={status} large={large} />).querySelector("[data-status]");
  return { chip, icon: chip?.querySelector("svg") };
};

describe("the status badge", () => {
  // rows: S3.16
  test("of a queued run is a clock with its word, and stands still", () => {
    const { chip, icon } = badge("queued");

    expect(chip).toHaveTextContent("Queued");
    expect(chip).toHaveClass("bg-queued-soft", "text-queued-text");
    expect(chip).not.toHaveClass("[&>svg]:animate-spin");
    expect(icon).toHaveClass("lucide-clock");
  });

  // rows: S2.37 S3.17 S3.18 S3.25
  test("of a running run turns, in lists and large on its page", () => {
    for (const { chip, icon } of [badge("running"), badge("running", true)]) {
      expect(chip).toHaveTextContent("Running");
      expect(chip).toHaveClass("bg-running-soft", "text-running-text", "[&>svg]:animate-spin");
      expect(icon).toHaveClass("lucide-loader-circle");
    }
  });

  // rows: S2.39 S2.66 S3.26 S3.27 S3.114
  test("of an ended run has the sign, the word and the colour of its end", () => {
    const ends = (["completed", "failed", "cancelled"] as const).map((status) => badge(status));

    expect(ends.map(({ chip }) => chip?.textContent)).toEqual(["Completed", "Failed", "Cancelled"]);
    for (const [index, word] of ["completed", "failed", "cancelled"].entries())
      expect(ends[index]?.chip).toHaveClass(`bg-${word}-soft`, `text-${word}-text`);
    expect(new Set(ends.map(({ icon }) => icon?.getAttribute("class"))).size).toBe(3);
  });

  // rows: S2.12 S3.21
  test("has a pulsing dot and a word beside it while news are live", () => {
    const dot = shown(<LiveDot />).firstElementChild;

    expect(dot).toHaveTextContent("LIVE");
    expect(dot?.querySelector("span")).toHaveClass("animate-live", "bg-completed");
  });
});

describe("the progress bar", () => {
  const fill = (status: Status, done = progress.done) => {
    const bar = shown(<ProgressBar progress={{ ...progress, done }} status={status} units="tests" />);
    return bar.querySelector<HTMLElement>("[role=progressbar] > span");
  };

  // rows: S1.45 S2.29 S2.40
  test("is as wide as the share that is done, and says it", () => {
    expect(fill("running")?.style.width).toBe("40%");
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "40");
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuetext", "200 of 500 tests");
  });

  // rows: S2.30 S2.99 S3.29 S5.82
  test("glides to its new width", () => {
    expect(fill("running")).toHaveClass("transition-[width]", "duration-300", "ease-out");
  });

  // rows: S2.65 S3.82
  test("has the colour of the status", () => {
    expect(fill("running")).toHaveClass("bg-running");
    expect(fill("completed", 500)).toHaveClass("bg-completed");
    expect(fill("failed")).toHaveClass("bg-failed");
  });
});
