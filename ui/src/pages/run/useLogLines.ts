import { useMemo } from "react";
import type { RunEvent } from "@/api/types";
import type { LogLine } from "@/components/run/LogView";
import { useEventLines } from "@/pages/run/useEventLines";
import type { Loading } from "@/pages/run/useLoading";

const FIRST = 5_000;
const MOST = 20_000;
const TYPES = ["log"] as const;

export interface LogLines extends Loading {
  readonly lines: readonly LogLine[];
  readonly isReady: boolean;
  readonly isWhole: boolean;
}

export function useLogLines(runId: string): LogLines {
  const { events, ...state } = useEventLines(runId, TYPES, FIRST, MOST);
  const lines = useMemo(() => events.flatMap(linesOf), [events]);
  return { lines, ...state };
}

/** A text of several lines becomes several; what a progress bar overwrote with `\r` is left out. */
export function linesOf(event: RunEvent): LogLine[] {
  if (event.type !== "log") return [];
  const { level, source, text } = event.data;
  return text
    .trimEnd()
    .split("\n")
    .map((line, index) => ({
      seq: event.seq,
      time: event.time,
      level,
      source,
      text: plain(lastOf(line.replace(/\r+$/, ""))),
      isFirst: index === 0,
    }));
}

/** What a terminal would still show of a line that was written over. */
const lastOf = (line: string): string => line.slice(line.lastIndexOf("\r") + 1);

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are control characters
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;

const plain = (line: string): string => line.replace(ESCAPES, "");
