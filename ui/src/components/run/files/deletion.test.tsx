import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { FilesView } from "@/components/run/FilesView";
import { type Call, served, show } from "@/components/run/stage";

const file = (name: string) => ({ name, bytes: 41_000, sha256: "ab12", time: "2026-01-31T09:30:00.000Z" });
const gone = { ...file("step-4/model.pt"), removed_at: "2026-01-31T10:30:00.000Z", reason: "deleted by ada" };

describe("a file of a run", () => {
  test("is deleted when the reader has confirmed it, and is listed among what was removed", async () => {
    const asked: Call[] = [];
    let isThere = true;
    served({
      "/runs/r/artifacts/step-4/model.pt": (call: Call) => {
        asked.push(call);
        isThere = false;
      },
      "/runs/r/artifacts": () => ({
        artifacts: [file("report.html"), ...(isThere ? [file("step-4/model.pt")] : [])],
        removed: isThere ? [] : [gone],
      }),
    });
    show(<FilesView runId="r" />);

    await userEvent.click(await screen.findByRole("button", { name: "Delete step-4/model.pt" }));
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByText("Delete 41 kB"));

    expect(await screen.findByText("1 file removed")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Delete step-4/model.pt" })).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test("stays when the server refuses, and the dialog says why", async () => {
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) =>
      init.method === "DELETE"
        ? Response.json({ error: { code: "forbidden", message: "It is not yours." } }, { status: 403 })
        : Response.json({ artifacts: [file("report.html")], removed: [] }),
    );
    show(<FilesView runId="r" />);

    await userEvent.click(await screen.findByRole("button", { name: "Delete report.html" }));
    await userEvent.click(screen.getByText("Delete 41 kB"));

    expect(await screen.findByText("It is not yours.")).toBeInTheDocument();
  });
});
