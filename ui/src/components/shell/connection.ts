import {
  Check,
  CircleDashed,
  CircleOff,
  LoaderCircle,
  type LucideIcon,
  RefreshCw,
  Unplug,
} from "lucide-react";
import { count, timeOfDay } from "@/lib/format";
import type { Connection, ConnectionState } from "@/live/types";

interface Look {
  label: string;
  icon: LucideIcon | null;
  className: string;
  turning?: boolean;
}

export const CONNECTION_LOOKS = {
  connecting: { label: "connecting", icon: CircleDashed, className: "text-text-2", turning: true },
  live: { label: "live", icon: null, className: "text-completed-text" },
  "catching-up": { label: "catching up", icon: LoaderCircle, className: "text-running-text", turning: true },
  reconnecting: {
    label: "reconnecting",
    icon: CircleDashed,
    className: "text-cancelled-text",
    turning: true,
  },
  polling: { label: "polling", icon: RefreshCw, className: "text-cancelled-text" },
  offline: { label: "offline", icon: Unplug, className: "text-failed-text" },
  ended: { label: "finished", icon: Check, className: "text-completed-text" },
  "signed-out": { label: "signed out", icon: CircleOff, className: "text-text-2" },
} satisfies Record<ConnectionState, Look>;

/** One sentence about the connection, for the banner and the pill's tooltip. */
export function connectionSentence(connection: Connection): string {
  const seconds =
    connection.retryAt === null ? 0 : Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
  const again = seconds >= 1 ? `Reconnecting in ${seconds} s.` : "Reconnecting…";
  const from = connection.freshAt === null ? "" : ` Showing data from ${timeOfDay(connection.freshAt)}.`;
  switch (connection.state) {
    case "connecting":
      return "Connecting…";
    case "live":
      return "Live: news arrives as it happens.";
    case "catching-up":
      return `Catching up: ${count(connection.behind)} events to go.`;
    case "reconnecting":
      return `Connection lost. ${again}${from}`;
    case "polling":
      return "The live stream does not come through, perhaps because of a proxy. Asking every 2 s instead.";
    case "offline": {
      const since = connection.freshAt === null ? "" : ` since ${timeOfDay(connection.freshAt)}`;
      return `Server not reachable${since}. Your runs keep going. Controls are off. ${again}`;
    }
    case "ended":
      return "Run finished. This page is complete.";
    case "signed-out":
      return "Your session ended.";
  }
}
