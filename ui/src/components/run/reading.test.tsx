import { act, fireEvent, render, renderHook, screen } from "@testing-library/react";
import type { Item } from "@/api/types";
import { TooltipProvider } from "@/components/base/Tooltip";
import { ActivityFeed } from "@/components/run/ActivityFeed";
import { useHeldRows } from "@/components/run/results/useHeldRows";
import { EVERYTHING } from "@/lib/analysis/arrange";
import type { FeedEvent } from "@/lib/analysis/feed";
import { aRow } from "@/lib/analysis/fixtures";

const STILL = { isScrolled: false, isRowOpen: false, isRowFocused: false, isSorted: false, isFrozen: false };
const items = (...seqs: number[]) => seqs.map((seq) => aRow(seq)) as unknown as Item[];
const seqsOf = (rows: readonly Item[]) => rows.map((row) => row.seq);

describe("held rows", () => {
  const use = (reading = STILL, limit = 50) =>
    renderHook(({ rows, now }) => useHeldRows(rows, EVERYTHING, limit, now), {
      initialProps: { rows: items(2, 1), now: reading },
    });

  // rows: S1.63
  test("nobody reads: new rows come in at the top", () => {
    const { result, rerender } = use();

    rerender({ rows: items(3, 2, 1), now: STILL });

    expect(seqsOf(result.current.rows)).toEqual([3, 2, 1]);
    expect(result.current.waiting).toBe(0);
  });

  test("somebody reads: new rows wait until they are let in", () => {
    const reading = { ...STILL, isScrolled: true };
    const { result, rerender } = use(reading);
    rerender({ rows: items(4, 3, 2, 1), now: reading });

    expect(seqsOf(result.current.rows)).toEqual([2, 1]);
    expect(result.current.waiting).toBe(2);

    act(() => result.current.release());
    expect(seqsOf(result.current.rows)).toEqual([4, 3, 2, 1]);
    expect(result.current.waiting).toBe(0);
  });

  test("the reader comes back to the top: everything shows", () => {
    const { result, rerender } = use({ ...STILL, isRowOpen: true });
    rerender({ rows: items(3, 2, 1), now: { ...STILL, isRowOpen: true } });

    rerender({ rows: items(3, 2, 1), now: STILL });

    expect(seqsOf(result.current.rows)).toEqual([3, 2, 1]);
  });

  // rows: S1.64 S1.90
  test("the row limit takes from the far end only", () => {
    const { result, rerender } = use(STILL, 2);

    rerender({ rows: items(3, 2, 1), now: STILL });

    expect(seqsOf(result.current.rows)).toEqual([3, 2]);
    expect(result.current.fitting).toBe(3);
  });
});

describe("the feed", () => {
  const events = (count: number): FeedEvent[] =>
    Array.from({ length: count }, (_, i) => ({
      seq: i + 1,
      type: "training",
      text: `event ${i + 1}`,
      time: new Date().toISOString(),
    }));
  const feed = (count: number) => (
    <TooltipProvider>
      <ActivityFeed
        events={events(count)}
        isErrorsOnly={false}
        onErrorsOnly={() => {}}
        onOpenItem={() => {}}
      />
    </TooltipProvider>
  );

  function measured() {
    const view = render(feed(3));
    const box = screen.getByRole("log");
    Object.defineProperties(box, {
      scrollHeight: { configurable: true, value: 1000 },
      clientHeight: { configurable: true, value: 200 },
    });
    return { box, more: (count: number) => view.rerender(feed(count)) };
  }

  // rows: S3.37 S3.72
  test("follows its end while nobody moves", () => {
    const { box, more } = measured();

    more(4);

    expect(box.scrollTop).toBe(1000);
  });

  test("one turn of the wheel upwards stops it, and what came is counted", () => {
    const { box, more } = measured();
    more(4);
    box.scrollTop = 780;
    fireEvent.wheel(box, { deltaY: -20 });

    more(10);

    expect(box.scrollTop).toBe(780);
    expect(screen.getByText("6 new events")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Follow the newest" })).toHaveAttribute(
      "aria-pressed",
      "false",
    );
  });

  test("the button goes to the end and follows again", () => {
    const { box, more } = measured();
    fireEvent.wheel(box, { deltaY: -20 });
    more(5);

    fireEvent.click(screen.getByText("2 new events"));

    expect(box.scrollTop).toBe(1000);
    expect(screen.queryByText(/new events/)).toBeNull();
  });

  test("markup in a text stays text", () => {
    const evil: FeedEvent = {
      seq: 1,
      type: "error",
      text: "<img src=x onerror=alert(1)>",
      time: new Date().toISOString(),
    };
    render(
      <TooltipProvider>
        <ActivityFeed events={[evil]} isErrorsOnly={false} onErrorsOnly={() => {}} onOpenItem={() => {}} />
      </TooltipProvider>,
    );

    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeInTheDocument();
    expect(document.querySelector("img")).toBeNull();
  });
});
