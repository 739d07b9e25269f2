/** What the live layer tells the rest of the page. */

import type { Control, RunEvent } from "@/api/types";

export type ConnectionState =
  | "connecting"
  | "live"
  | "catching-up"
  | "reconnecting"
  | "polling"
  | "offline"
  | "ended"
  | "signed-out";

export interface Connection {
  state: ConnectionState;
  /** When the next try is made, in milliseconds; null when none is planned. */
  retryAt: number | null;
  /** How many tries in a row came to nothing. */
  tries: number;
  /** When news last came, in milliseconds; null before the first. */
  freshAt: number | null;
  /** Events still to come while catching up. */
  behind: number;
}

export interface RunWatch {
  /** Events in order, each once, none missing, in batches of 50 ms. */
  onEvents: (events: RunEvent[]) => void;
  /** The log is not the one you knew, or too much of it went by: load your data again. */
  onReset?: () => void;
}

export interface Asked {
  control: Control;
  /** "asking" at once, "slow" after two seconds ("Still asking…"), "accepted" once the server said yes. */
  stage: "asking" | "slow" | "accepted";
}
