import { render, screen } from "@testing-library/react";
import type { Item } from "@/api/types";
import { A_KIND } from "@/components/run/fixtures";
import { columnsOf } from "@/components/run/results/columns";
import { ResultCard } from "@/components/run/results/ResultCard";

const column = (name: string) => ({ name, label: name, format: "text", shown: true, filter: false }) as const;

test("a number on a phone says what it is", () => {
  const data = { verdict: "kept", loss: 0.25 };
  const item = { key: "7", state: "done", label: "#7", seconds: 1, error: null, data } as never as Item;
  const loss = { ...column("loss"), label: "Eval loss", format: "number" } as const;
  render(<Card item={item} kind={{ ...A_KIND, columns: [column("verdict"), loss] }} />);

  expect(screen.getByText("0.25")).toBeVisible();
  expect(screen.getByText("Eval loss")).toBeVisible();
  expect(screen.queryByText("verdict")).toBeNull();
});

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
  render(<Card item={item} kind={kind} />);

  expect(screen.getByText("#7 tax law")).toBeVisible();
  expect(screen.getByText("rejected")).toBeVisible();
  expect(screen.queryByText("tax law")).toBeNull();
});

function Card({ item, kind }: { item: Item; kind: typeof A_KIND }) {
  return (
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
    />
  );
}
