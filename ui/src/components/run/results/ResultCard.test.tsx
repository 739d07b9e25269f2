import { render, screen } from "@testing-library/react";
import type { Item } from "@/api/types";
import { A_KIND } from "@/components/run/fixtures";
import { columnsOf } from "@/components/run/results/columns";
import { ResultCard } from "@/components/run/results/ResultCard";

const column = (name: string) => ({ name, label: name, format: "text", shown: true, filter: false }) as const;

test("a result on a phone says below its name what the name does not say", () => {
  const data = { topic: "tax law", verdict: "rejected", model: "offline" };
  const item = {
    key: "7",
    state: "done",
    label: "#7 tax law",
    seconds: 1,
    error: null,
    data,
  } as never as Item;
  const kind = { ...A_KIND, columns: [column("topic"), column("verdict"), column("model")] };
  render(
    <ResultCard
      item={item}
      number={6}
      index={0}
      top={0}
      height={84}
      columns={columnsOf(kind)}
      tracks=""
      isFresh={false}
      isOpen={false}
      isCursor={false}
      onOpen={() => {}}
    />,
  );

  expect(screen.getByText("#7 tax law")).toBeVisible();
  expect(screen.getByText("rejected")).toBeVisible();
  expect(screen.queryByText("tax law")).toBeNull();
});
