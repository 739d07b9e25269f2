import { fireEvent, render, screen } from "@testing-library/react";
import { Dialog } from "@/components/base/Dialog";
import { directionOf } from "@/lib/swipe";
import type { Tab } from "@/pages/run/useRunUrl";
import { useTabSwipes } from "@/pages/run/useTabSwipes";

test.each([
  [-80, 10, 200, "left"],
  [80, -10, 200, "right"],
  [5, 90, 200, "down"],
  [5, -90, 200, "up"],
  [-40, 0, 200, null],
  [-80, 60, 200, null],
  [-80, 0, 900, null],
])("a stroke of %i, %i px in %i ms goes %s", (right, down, ms, way) => {
  expect(directionOf(right, down, ms)).toBe(way);
});

/** One finger from a place to another. */
function draw(element: Element, right: number, down = 0, fingers = 1) {
  const touches = Array.from({ length: fingers }, () => ({ clientX: 200, clientY: 200 }));
  fireEvent.touchStart(element, { touches });
  fireEvent.touchEnd(element, { changedTouches: [{ clientX: 200 + right, clientY: 200 + down }] });
}

describe("tabs on a phone", () => {
  const tabs: Tab[] = ["overview", "activity", "results"];

  function Page({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
    return (
      <div {...useTabSwipes({ tab, onTab }, tabs, true)}>
        <p>feed</p>
        <div data-testid="wide" style={{ overflowX: "auto" }}>
          <p>table</p>
        </div>
      </div>
    );
  }

  function shown(tab: Tab) {
    const onTab = vi.fn();
    render(<Page tab={tab} onTab={onTab} />);
    return onTab;
  }

  // rows: S3.87
  test("follow the finger: the feed swipes to its neighbours", () => {
    const onTab = shown("activity");

    draw(screen.getByText("feed"), -90);
    draw(screen.getByText("feed"), 90);

    expect(onTab.mock.calls).toEqual([["results"], ["overview"]]);
  });

  test("stay at the ends, for two fingers, and where the way goes down", () => {
    const onTab = shown("results");

    draw(screen.getByText("feed"), -90);
    draw(screen.getByText("feed"), 90, 0, 2);
    draw(screen.getByText("feed"), 20, 90);

    expect(onTab).not.toHaveBeenCalled();
  });

  test("stay where a wide table scrolls along", () => {
    const onTab = shown("activity");
    const box = screen.getByTestId("wide");
    Object.defineProperties(box, { scrollWidth: { value: 900 }, clientWidth: { value: 300 } });

    draw(screen.getByText("table"), -90);

    expect(onTab).not.toHaveBeenCalled();
  });
});

// rows: S3.87
test("a sheet that is drawn down goes the safe way", () => {
  const [onClose, onConfirm] = [vi.fn(), vi.fn()];
  render(
    <Dialog open onClose={onClose} onConfirm={onConfirm} title="Cancel run?">
      <p>Sure?</p>
    </Dialog>,
  );

  draw(screen.getByText("Sure?"), 0, 120);

  expect(onClose).toHaveBeenCalledTimes(1);
  expect(onConfirm).not.toHaveBeenCalled();
});
