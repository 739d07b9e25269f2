import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { served } from "@/components/run/stage";
import { FilterBar } from "@/pages/runs/FilterBar";
import type { Filters } from "@/pages/runs/filters";

const NONE: Filters = { status: [], kind: [], owner: [], tag: [], q: "" };

const client = new QueryClient();

function Page({ first = NONE }: { first?: Filters }) {
  const [filters, setFilters] = useState(first);
  return (
    <QueryClientProvider client={client}>
      <FilterBar filters={filters} onChange={setFilters} />
    </QueryClientProvider>
  );
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("whoever rests between two words keeps the space", () => {
  vi.useFakeTimers();
  served({});
  render(<Page />);
  const box = screen.getByLabelText("Filter runs");

  fireEvent.change(box, { target: { value: "prompt " } });
  act(() => void vi.advanceTimersByTime(1000));

  expect(box).toHaveValue("prompt ");
  expect(screen.getByText("“prompt”")).toBeVisible();
});

test("a chip that is removed takes its words out of the box", () => {
  served({});
  render(<Page first={{ ...NONE, q: "prompt" }} />);

  fireEvent.click(screen.getByLabelText("Remove “prompt”"));

  expect(screen.getByLabelText("Filter runs")).toHaveValue("");
});
