/**
 * Following the end of a feed by intent, not by distance.
 *
 * "Follow while within 120 px of the end" drags a slow reader back; so any
 * upward move stops the following at once, and only reaching the very end (or
 * asking for it) starts it again.
 */

/** A reader within this many pixels of the end has reached it. */
export const END_PX = 4;

export type Intent =
  | { readonly type: "wheel"; readonly deltaY: number }
  | { readonly type: "touch"; readonly deltaY: number }
  | { readonly type: "key"; readonly key: string }
  | { readonly type: "select" }
  | { readonly type: "drag"; readonly deltaY: number }
  | { readonly type: "place"; readonly toEnd: number }
  | { readonly type: "ask"; readonly follow: boolean };

const UP_KEYS: ReadonlySet<string> = new Set(["PageUp", "Home", "ArrowUp", "k"]);
const END_KEYS: ReadonlySet<string> = new Set(["End", "G"]);

/**
 * Whether to follow after an intent.
 *
 * `wheel` and `drag` move the content by `deltaY` (negative: up); `touch` moves
 * the finger, so a positive `deltaY` is up. `place` tells the distance to the
 * end after a scroll that the reader made.
 */
export function follow(following: boolean, intent: Intent): boolean {
  switch (intent.type) {
    case "wheel":
    case "drag":
      return intent.deltaY < 0 ? false : following;
    case "touch":
      return intent.deltaY > 0 ? false : following;
    case "key":
      if (UP_KEYS.has(intent.key)) return false;
      return END_KEYS.has(intent.key) ? true : following;
    case "select":
      return false;
    case "place":
      return intent.toEnd <= END_PX ? true : following;
    case "ask":
      return intent.follow;
  }
}
