import { useVirtualizer } from "@tanstack/react-virtual";
import { Search } from "lucide-react";
import { useMemo, useRef } from "react";
import type { LogLevel } from "@/api/types";
import { FollowButton } from "@/components/run/FollowButton";
import { useFollow } from "@/components/run/useFollow";
import { cn } from "@/lib/cn";
import { counted, timeOfDay } from "@/lib/format";

const LINE_PX = 20;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

export interface LogLine {
  readonly seq: number;
  readonly time: string;
  readonly level: LogLevel;
  readonly source: string;
  /** One line; a text of several becomes several of these. */
  readonly text: string;
  readonly isFirst: boolean;
}

export interface LogViewProps {
  lines: readonly LogLine[];
  isReady: boolean;
  isWhole: boolean;
  /** The lowest level shown. */
  level: LogLevel;
  text: string;
  onLevel: (level: LogLevel) => void;
  onText: (text: string) => void;
}

const TEXT = {
  debug: "text-text-3",
  info: "text-text",
  warning: "text-warn",
  error: "text-fail",
} satisfies Record<LogLevel, string>;

/** Console output. It follows its end until the reader moves up. */
export function LogView({ lines, isReady, isWhole, level, text, onLevel, onText }: LogViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    const least = LEVELS.indexOf(level);
    const needle = text.toLowerCase();
    return lines.filter(
      (line) => LEVELS.indexOf(line.level) >= least && line.text.toLowerCase().includes(needle),
    );
  }, [lines, level, text]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  const following = useFollow(box, shown);
  return (
    <section
      aria-label="Logs"
      className="flex min-h-0 flex-col rounded-lg border border-line bg-card shadow-card"
    >
      <header className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2">
        <label className="flex h-7 min-w-0 flex-1 items-center gap-1.5 rounded-md border border-line-strong px-2 focus-within:outline-2 focus-within:outline-focus max-md:h-11">
          <Search aria-hidden size={13} className="text-text-3" />
          <span className="sr-only">Filter the lines by text</span>
          <input
            type="search"
            data-shortcut="search"
            value={text}
            onChange={(event) => onText(event.target.value)}
            placeholder="Filter"
            className="w-full min-w-0 bg-transparent text-xs outline-none placeholder:text-text-3"
          />
        </label>
        <span className="text-text-3 text-xs">{counted(shown.length, "line", "lines")}</span>
        <select
          aria-label="Lowest level"
          value={level}
          onChange={(event) => onLevel(event.target.value as LogLevel)}
          className="h-7 rounded-md border border-line-strong bg-card px-1.5 text-xs max-md:h-11"
        >
          {LEVELS.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <FollowButton {...following} />
      </header>
      <div
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the box scrolls by keyboard
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Console output"
        className="h-[calc(100dvh-28rem)] min-h-80 overflow-auto overscroll-contain font-mono text-xs"
      >
        {shown.length === 0 && (
          <p className="px-4 py-12 text-center font-sans text-sm text-text-3">
            {emptyText(isReady, lines.length)}
          </p>
        )}
        {!isWhole && shown.length > 0 && (
          <p className="px-4 py-1 font-sans text-text-3">Older lines are not shown here.</p>
        )}
        <div className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = shown[index];
            return line && <Line key={index} line={line} top={start} />;
          })}
        </div>
      </div>
    </section>
  );
}

function Line({ line, top }: { line: LogLine; top: number }) {
  return (
    <div
      className={cn(
        "absolute left-0 flex h-5 items-center gap-3 whitespace-pre px-4 leading-5",
        TEXT[line.level],
      )}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span className="w-16 shrink-0 text-text-3">{line.isFirst ? timeOfDay(line.time) : ""}</span>
      <span className="w-16 shrink-0 truncate max-md:hidden" title={line.source}>
        {line.isFirst ? (line.source === "stack" ? "stack" : line.level) : ""}
      </span>
      <span>{line.text}</span>
    </div>
  );
}

function emptyText(isReady: boolean, lines: number): string {
  if (!isReady) return "Loading…";
  return lines > 0 ? "No line matches" : "No console output yet";
}
