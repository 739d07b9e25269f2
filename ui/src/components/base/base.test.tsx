import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Status } from "@/api/types";
import { Button } from "@/components/base/Button";
import { ProgressBar } from "@/components/base/ProgressBar";
import { StatusBadge } from "@/components/base/StatusBadge";
import { TooltipProvider } from "@/components/base/Tooltip";

const shown = (element: React.ReactElement) => render(<TooltipProvider>{element}</TooltipProvider>);
const progress = { done: 200, failed: 3, reused: 0, total: 500, marks: [], groups: {} };

describe("the status badge", () => {
  it.each<[Status, string]>([
    ["queued", "Queued"],
    ["running", "Running"],
    ["paused", "Paused"],
    ["completed", "Completed"],
    ["failed", "Failed"],
    ["cancelled", "Cancelled"],
  ])("says %s as a word", (status, word) => {
    shown(<StatusBadge status={status} />);

    expect(screen.getByText(word)).toBeInTheDocument();
  });

  // rows: S3.95
  it("says what was asked before what is", () => {
    shown(<StatusBadge status="running" pending="cancel" stuck />);

    const badge = screen.getByText("Cancelling…").parentElement;
    expect(badge?.querySelector("svg")).toHaveClass("lucide-ban");
    expect(badge).not.toHaveClass("[&>svg]:animate-spin");
  });
});

describe("the progress bar", () => {
  it("tells screen readers counts, and no percentage without a total", () => {
    shown(<ProgressBar progress={{ ...progress, total: null }} status="running" units="tests" />);

    const bar = screen.getByRole("progressbar");
    expect(bar).toHaveAttribute("aria-valuetext", "200 tests, total unknown");
    expect(bar).not.toHaveAttribute("aria-valuenow");
  });
});

describe("a button that cannot be used", () => {
  it("stays in reach and says why, but does nothing", async () => {
    const onClick = vi.fn();
    shown(
      <Button disabled hint="It has ended." onClick={onClick}>
        Pause
      </Button>,
    );

    await userEvent.tab();
    expect(screen.getByRole("button")).toHaveFocus();
    expect(await screen.findByRole("tooltip")).toHaveTextContent("It has ended.");
    await userEvent.click(screen.getByRole("button"));
    expect(onClick).not.toHaveBeenCalled();
  });
});
