import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Artifact } from "@/api/types";
import { FilePreview } from "@/components/run/files/FilePreview";
import { show } from "@/components/run/stage";
import { PAGE_BYTES } from "@/lib/filePreview";

const REPORT: Artifact = {
  name: "report.html",
  bytes: 41,
  sha256: "ab12",
  time: "2026-01-31T09:30:00.000Z",
};
const URL = "/api/runs/r/artifacts/report.html";
const SOURCE = "<h1>Report</h1><script>alert(1)</script>";

function preview(file: Artifact) {
  vi.stubGlobal("fetch", async () => new Response(SOURCE));
  show(<FilePreview file={file} url={URL} kind="page" />);
}

describe("the preview of a page", () => {
  test("is a frame that may do nothing, of an answer that allows nothing", async () => {
    preview(REPORT);

    const frame = await screen.findByTitle("The page report.html");
    expect(frame.getAttribute("sandbox")).toBe("");
    expect(frame).toHaveAttribute("src", `${URL}?view=page&sha256=ab12`);
    expect(frame).not.toHaveAttribute("allow");
    expect(frame).not.toHaveAttribute("srcdoc");
  });

  test("shows its source as text when asked to", async () => {
    preview(REPORT);

    await userEvent.click(await screen.findByRole("button", { name: "Show its source" }));

    expect(await screen.findByText(SOURCE)).toBeVisible();
    expect(document.querySelector("iframe")).toBeNull();
  });

  test("is text where the page is very large", async () => {
    preview({ ...REPORT, bytes: PAGE_BYTES + 1 });

    expect(await screen.findByText(SOURCE)).toBeVisible();
    expect(document.querySelector("iframe")).toBeNull();
  });
});
