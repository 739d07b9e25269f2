/** Where the focus goes when what had it is gone. */

/** Back to what had it before; to the page's heading where that has left the page, too. */
export function focusBack(before: Element | null): void {
  const target = before?.isConnected ? before : document.querySelector("h1");
  if (target instanceof HTMLElement) target.focus();
}
