import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { TooltipProvider } from "@/components/base/Tooltip";
import { LogBanner } from "@/components/shell/LogBanner";
import { setLoss } from "@/live/losses";

describe("the log banner", () => {
  afterEach(() => act(() => setLoss("r1", null)));

  const shown = () => {
    render(
      <TooltipProvider>
        <LogBanner />
      </TooltipProvider>,
    );
  };

  it("says nothing while nothing is gone", () => {
    shown();

    expect(screen.queryByRole("status")).toBeNull();
  });

  it("says which events are gone, until it is closed", async () => {
    shown();
    act(() => setLoss("r1", { kind: "gap", from: 1, to: 500 }));

    expect(screen.getByRole("status")).toHaveTextContent("Events 1–500 are no longer kept.");
    await userEvent.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("says that the database was replaced", () => {
    shown();
    act(() => setLoss("r1", { kind: "reset", reason: "the database was replaced" }));

    expect(screen.getByRole("status")).toHaveTextContent(
      "The server's database was replaced. This page was reloaded from it.",
    );
  });
});
