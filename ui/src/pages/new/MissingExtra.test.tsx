import { render, screen } from "@testing-library/react";
import { TooltipProvider } from "@/components/base/Tooltip";
import { A_KIND } from "@/components/run/fixtures";
import { MissingExtra } from "@/pages/new/MissingExtra";

const command = "pip install 'pilothouse[train]'";

const draw = (missing: string[] | null) =>
  render(
    <TooltipProvider>
      <MissingExtra kind={{ ...A_KIND, extra: missing && { name: "train", command, missing } }} />
    </TooltipProvider>,
  );

test("a kind whose packages are missing names them and what installs them", () => {
  draw(["torch", "peft", "datasets"]);

  const note = screen.getByRole("note", { name: "Missing packages" });
  expect(note).toHaveTextContent("extra train");
  expect(note).toHaveTextContent("lacks torch, peft and datasets");
  expect(note).toHaveTextContent(command);
  expect(screen.getByRole("button", { name: "Copy" })).toBeVisible();
});

test.each([null, []])("a kind that has all it needs says nothing (%j)", (missing) => {
  draw(missing);

  expect(screen.queryByRole("note")).toBeNull();
});
