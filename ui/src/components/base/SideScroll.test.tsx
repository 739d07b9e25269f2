import { fireEvent, render } from "@testing-library/react";
import { SideScroll } from "@/components/base/SideScroll";

/** A box of 100 pixels with content of some width. */
function box(width: number): HTMLElement {
  vi.spyOn(Element.prototype, "scrollWidth", "get").mockReturnValue(width);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(100);
  const { container } = render(<SideScroll>wide</SideScroll>);
  return container;
}

afterEach(() => vi.restoreAllMocks());

test("a table that is wider than its place says so until its end is in view", () => {
  const container = box(300);
  const scroller = container.querySelector<HTMLElement>(".overflow-x-auto");
  const atFirst = container.querySelector("[data-more]");
  if (scroller) scroller.scrollLeft = 200;
  fireEvent.scroll(scroller as HTMLElement);

  expect(atFirst).not.toBeNull();
  expect(container.querySelector("[data-more]")).toBeNull();
});

test("a table that fits says nothing", () => {
  expect(box(100).querySelector("[data-more]")).toBeNull();
});
