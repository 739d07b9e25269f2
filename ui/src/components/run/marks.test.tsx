import { render, screen } from "@testing-library/react";
import { TooltipProvider } from "@/components/base/Tooltip";
import { FeedRow } from "@/components/run/FeedRow";
import { ResultRow } from "@/components/run/results/ResultRow";
import type { FeedType } from "@/lib/analysis/feed";
import { aRow } from "@/lib/analysis/fixtures";

function feedRow(type: FeedType) {
  const line = { seq: 1, firstSeq: 1, count: 1, type, text: "what happened", time: new Date().toISOString() };
  const { container } = render(
    <TooltipProvider>
      <FeedRow line={line} onOpenItem={() => {}} />
    </TooltipProvider>,
  );
  const mark = container.querySelector(`[data-feed=${type}] > span:nth-child(2)`);
  return { mark, icon: mark?.querySelector("svg")?.getAttribute("class") ?? "" };
}

describe("a line of the feed", () => {
  // rows: S3.31 S3.32 S3.33 S3.34 S3.35 S3.36
  test.each<[FeedType, string, string]>([
    ["planned", "Planned", "lucide-brain"],
    ["training", "Running", "lucide-play"],
    ["metrics", "Metrics", "lucide-chart-column"],
    ["error", "Error", "lucide-circle-alert"],
    ["backup", "Backup", "lucide-refresh-cw"],
  ])("of type %s has its colour, its sign and its word", (type, word, sign) => {
    const { mark, icon } = feedRow(type);

    expect(mark).toHaveClass(`bg-feed-${type}-soft`, `text-feed-${type}`);
    expect(mark).toHaveTextContent(word);
    expect(icon).toContain(sign);
  });

  // rows: S3.38
  test("says when in words", () => {
    feedRow("metrics");

    expect(screen.getByText(/just now|seconds? ago/)).toBeInTheDocument();
  });
});

// rows: S1.5
test.each([
  ["fades in", true],
  ["that was there already stands still", false],
])("a result that has just come %s", (_, isFresh) => {
  render(
    <ResultRow
      item={aRow(1) as never}
      number={1}
      index={0}
      top={0}
      height={36}
      columns={[]}
      tracks=""
      isFresh={isFresh}
      isOpen={false}
      isCursor={false}
      onOpen={() => {}}
    />,
  );

  expect(screen.getByRole("row").classList.contains("animate-fade")).toBe(isFresh);
});
