/** The runs this browser started or looked at lately: it is told when they end. */

const KEY = "pilothouse.mine";
const MOST = 200;

function load(): string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** The newest first. */
export const mine = (): string[] => load();

export function remember(id: string): void {
  const ids = load();
  if (ids[0] === id) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([id, ...ids.filter((one) => one !== id)].slice(0, MOST)));
  } catch {
    // Without storage nothing is remembered, and nothing breaks.
  }
}
