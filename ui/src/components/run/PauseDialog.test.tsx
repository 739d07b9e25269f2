import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { A_KIND, aRun } from "@/components/run/fixtures";
import { PauseDialog } from "@/components/run/PauseDialog";
import { PauseMenu } from "@/components/run/PauseMenu";

describe("the pause dialog", () => {
  const open = () => {
    const onPause = vi.fn();
    render(<PauseDialog run={aRun()} kind={A_KIND} onPause={onPause} onClose={() => {}} />);
    return onPause;
  };

  test("asks for a strength, an end and a reason, and sends what was chosen", async () => {
    const onPause = open();

    await userEvent.click(screen.getByLabelText("by itself in 15 minutes"));
    await userEvent.click(screen.getByLabelText(/Free its memory/));
    await userEvent.type(screen.getByLabelText("Reason"), "budget");
    await userEvent.click(screen.getByText("Pause", { selector: "button" }));

    expect(onPause).toHaveBeenCalledWith({ strength: "release", until: "15m", reason: "budget" });
  });

  test("sends the next moment of a time as a moment", async () => {
    const onPause = open();

    await userEvent.click(screen.getByText("Pause", { selector: "button" }));

    const until = new Date(onPause.mock.calls[0]?.[0].until).getTime();
    expect(until).toBeGreaterThan(Date.now());
    expect(until).toBeLessThan(Date.now() + 86_400_000);
  });

  test("says that a run without an item in hand pauses at once", () => {
    render(
      <PauseDialog run={aRun({ status: "queued" })} kind={A_KIND} onPause={() => {}} onClose={() => {}} />,
    );

    const dialog = screen.getByRole("dialog", { hidden: true });
    expect(dialog).toHaveTextContent("prompt-tuning-oct pauses at once. Nothing new starts");
    expect(document.activeElement).toHaveTextContent("Keep it queued");
  });

  test("a time that was wiped out pauses nothing", async () => {
    const onPause = open();

    await userEvent.clear(screen.getByLabelText("Time at which it resumes"));
    await userEvent.keyboard("{Meta>}{Enter}{/Meta}");

    expect(onPause).not.toHaveBeenCalled();
  });

  test("gives the focus back to the button of the menu that opened it", async () => {
    render(<PauseMenu run={aRun()} kind={A_KIND} size="md" onPause={() => {}} />);
    const button = screen.getByRole("button", { name: "Ways to pause" });

    button.focus();
    await userEvent.keyboard("{Enter}");
    await userEvent.click(await screen.findByText("Pause until…"));
    await screen.findByLabelText("Reason");
    await userEvent.click(screen.getByText("Keep running"));

    expect(button).toHaveFocus();
  });

  test("Enter right after it opens keeps the run running", async () => {
    const onPause = open();

    await userEvent.keyboard("{Enter}");

    expect(onPause).not.toHaveBeenCalled();
  });
});
