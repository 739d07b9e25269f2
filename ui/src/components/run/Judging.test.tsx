import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Judgement } from "@/api/types";
import { Judging } from "@/components/run/Judging";

const KEPT: Judgement = { verdict: "keep", by: "ana", seq: 9 };
const button = (name: string) => screen.getByRole("button", { name });

test("a press says it, the same press again takes it back, and keys do the same", async () => {
  const said: unknown[] = [];
  const onJudge = async (verdict: unknown) => void said.push(verdict);
  const { rerender } = render(<Judging judged={null} onJudge={onJudge} />);

  await userEvent.click(button("Keep"));
  rerender(<Judging judged={KEPT} onJudge={onJudge} />);
  expect(button("Keep")).toHaveAttribute("aria-pressed", "true");
  expect(screen.getByText("by ana")).toBeVisible();
  await userEvent.click(button("Keep"));
  await userEvent.click(button("Drop"));
  (document.activeElement as HTMLElement).blur();
  await userEvent.keyboard("3");

  expect(said).toEqual(["keep", null, "drop", "flag"]);
});

test("a refusal is told where it was asked", async () => {
  const onJudge = () => Promise.reject(new Error("The server cannot be reached."));
  render(<Judging judged={KEPT} onJudge={onJudge} />);

  await userEvent.click(button("Flag"));

  expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached.");
  expect(button("Keep")).toHaveAttribute("aria-pressed", "true");
});
