import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { CancelDialog, needsQuestion } from "@/components/run/CancelDialog";
import { A_KIND, aRun } from "@/components/run/fixtures";

function show(onCancel = vi.fn(async () => true)) {
  const onClose = vi.fn();
  render(
    <CancelDialog run={aRun()} kind={A_KIND} elapsed={200} open onCancel={onCancel} onClose={onClose} />,
  );
  return { onCancel, onClose };
}

describe("the cancel dialog", () => {
  // rows: S3.46 S3.49
  test("asks in its title, beside a warning sign in amber", () => {
    show();

    const title = screen.getByRole("heading", { name: "Cancel run?", hidden: true });
    expect(title.querySelector("svg")).toHaveClass("lucide-triangle-alert", "text-warn");
  });

  // rows: S3.84
  test("has one red button, and the safe one is quiet", () => {
    show();

    expect(screen.getByText("Cancel run")).toHaveClass("bg-danger");
    expect(screen.getByText("Keep running")).toHaveClass("bg-card");
  });

  // rows: S3.47
  test("says what is lost and what is kept", () => {
    show();

    const dialog = screen.getByRole("dialog", { hidden: true });
    expect(dialog).toHaveTextContent("prompt-tuning-oct is 40 % done (200 of 500 tests, 3m 20s).");
    expect(dialog).toHaveTextContent("the 200 finished results are kept");
    expect(dialog).toHaveTextContent("This action cannot be undone.");
  });

  test("drops nothing of a run that is paused, and keeps it so", () => {
    render(
      <CancelDialog
        run={aRun({ status: "paused" })}
        kind={A_KIND}
        elapsed={200}
        open
        onCancel={async () => true}
        onClose={() => {}}
      />,
    );

    const dialog = screen.getByRole("dialog", { hidden: true });
    expect(dialog).toHaveTextContent("It ends now; the 200 finished results are kept.");
    expect(document.activeElement).toHaveTextContent("Keep it paused");
  });

  // rows: S3.23 S3.48
  test("Enter right after it opens keeps the run running", async () => {
    const { onCancel, onClose } = show();

    expect(document.activeElement).toHaveTextContent("Keep running");
    await userEvent.keyboard("{Enter}");

    expect(onClose).toHaveBeenCalled();
    expect(onCancel).not.toHaveBeenCalled();
  });

  test("Esc keeps the run running", async () => {
    const { onCancel, onClose } = show();

    await userEvent.keyboard("{Escape}");

    expect(onClose).toHaveBeenCalled();
    expect(onCancel).not.toHaveBeenCalled();
  });

  // rows: S3.48 S3.71
  test("⌘↵ confirms, and the dialog closes when the server has taken it", async () => {
    const { onCancel, onClose } = show();

    await userEvent.keyboard("{Meta>}{Enter}{/Meta}");

    expect(onCancel).toHaveBeenCalledTimes(1);
    expect(onClose).toHaveBeenCalled();
  });

  test("a refusal leaves it open", async () => {
    const { onClose } = show(vi.fn(async () => false));

    await userEvent.click(screen.getByText("Cancel run"));

    expect(onClose).not.toHaveBeenCalled();
  });

  test("a run with nothing to lose is not asked about", () => {
    const nothing = aRun({ progress: { done: 0, failed: 0, reused: 0, total: 5, marks: [], groups: {} } });

    expect(needsQuestion(aRun(), 9)).toBe(false);
    expect(needsQuestion(nothing, 100)).toBe(false);
    expect(needsQuestion(aRun(), 10)).toBe(true);
  });
});
