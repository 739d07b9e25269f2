import { useMemo } from "react";
import { Tooltip } from "@/components/base/Tooltip";
import { ago, agoShort, clock, exactTime, timeOfDay } from "@/lib/format";
import { useNow } from "@/lib/now";
import { changeSettings, useSettings } from "@/lib/settings";

const NEXT = { relative: "local", local: "utc", utc: "relative" } as const;

/** When something was: relative, local or UTC. A click changes it everywhere. */
export function RelativeTime({ time, short = false }: { time: string | null; short?: boolean }) {
  const now = useNow();
  const { time: style } = useSettings();
  // The words follow the clock; the exact time in two zones is slow to write and stays.
  const exact = useMemo(() => time && `${exactTime(time)} · ${exactTime(time, true)}`, [time]);
  if (!time) return <span>–</span>;
  const text =
    style === "relative"
      ? (short ? agoShort : ago)(time, now)
      : `${timeOfDay(time, style === "utc")}${style === "utc" ? "Z" : ""}`;
  return (
    <Tooltip text={exact || ""}>
      <button
        type="button"
        className="cursor-pointer rounded-sm text-inherit"
        onClick={(event) => {
          event.preventDefault();
          event.stopPropagation();
          changeSettings({ time: NEXT[style] });
        }}
      >
        <time dateTime={time}>{text}</time>
      </button>
    </Tooltip>
  );
}

export interface ElapsedProps {
  /** Seconds up to `since`. */
  seconds: number;
  /** When the running stretch began; null stands still. */
  since: string | null;
}

/** A stopwatch: pauses and waits are not counted. */
export function Elapsed({ seconds, since }: ElapsedProps) {
  const now = useNow();
  const more = since ? Math.max(0, (now - new Date(since).getTime()) / 1000) : 0;
  return <>{clock(seconds + more)}</>;
}
