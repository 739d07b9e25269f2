/** What a tab and the shared worker say to each other. */

import type { Frame } from "@/api/types";
import type { Place } from "@/live/link";
import type { Connection } from "@/live/types";

export type ToWorker =
  | { do: "watch"; id: string; place: Place }
  | { do: "unwatch"; id: string }
  | { do: "try" }
  | { do: "leave" };

export type ToTab =
  | { frames: Frame[] }
  | { connection: Connection }
  /** Where the shared stream stands in a run that this tab has just begun to watch. */
  | { at: { id: string; seq: number } };
