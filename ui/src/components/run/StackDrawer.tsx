import { LoaderCircle, RefreshCw, X } from "lucide-react";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { RelativeTime } from "@/components/base/Time";
import type { LogLine } from "@/components/run/LogView";
import { useShortcuts } from "@/lib/keys";

/** One stack of a job, as it came into the log. */
export interface Stack {
  readonly seq: number;
  readonly time: string;
  readonly text: string;
}

export interface StackDrawerProps {
  /** The newest one that is known. */
  stack: Stack | null;
  /** Asked for and not come yet; a time-out says that none may come. */
  state: "waiting" | "here" | "missing";
  /** Why it could not be asked for. */
  refusal: string | null;
  onAgain: () => void;
  onClose: () => void;
}

/** What every thread of the job is doing now. It lies over the page and does not trap the focus. */
export function StackDrawer({ stack, state, refusal, onAgain, onClose }: StackDrawerProps) {
  useShortcuts("Stack", [{ keys: "Escape", label: "Close the stack", run: onClose }]);
  return (
    <aside
      aria-label="Stack of the job"
      className="fixed inset-y-0 right-0 z-40 flex w-full flex-col border-line border-l bg-card shadow-pop md:max-w-[44rem]"
    >
      <header className="flex h-13 shrink-0 items-center gap-2 border-line border-b px-4">
        <h2 className="font-semibold">Stack</h2>
        {stack && (
          <span className="whitespace-nowrap text-sm text-text-3 max-md:hidden">
            <RelativeTime time={stack.time} />
          </span>
        )}
        <div className="ml-auto flex items-center gap-1">
          {stack && <Copy text={stack.text}>Copy</Copy>}
          <Button
            size="sm"
            icon={
              state === "waiting" ? (
                <LoaderCircle aria-hidden className="animate-spin" />
              ) : (
                <RefreshCw aria-hidden />
              )
            }
            disabled={state === "waiting"}
            onClick={onAgain}
          >
            {state === "waiting" ? "Asking…" : "Ask again"}
          </Button>
          <Button look="ghost" size="sm" icon={<X aria-hidden />} aria-label="Close" onClick={onClose} />
        </div>
      </header>
      {(refusal || state !== "here") && (
        <p role="status" className="border-line border-b px-4 py-2.5 text-sm text-text-2">
          {refusal ?? sentenceFor(state)}
        </p>
      )}
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the box scrolls by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto overscroll-contain whitespace-pre p-4 font-mono text-xs leading-5"
      >
        {stack?.text.trimEnd()}
      </pre>
      <footer className="border-line border-t px-4 py-2.5 text-text-3 text-xs">
        The job goes on while it is looked at. The stack stays in the run's log.
      </footer>
    </aside>
  );
}

const sentenceFor = (state: StackDrawerProps["state"]): string =>
  state === "waiting"
    ? "The job was asked what it is doing…"
    : "No stack has come. The job's host may be away; it answers when it is back.";

/** The newest stack in a log: lines of one dump belong together. */
export function newestStack(lines: readonly LogLine[]): Stack | null {
  const own = lines.filter((line) => line.source === "stack");
  const last = own.at(-1);
  if (last === undefined) return null;
  const text = own
    .filter((line) => line.seq === last.seq)
    .map((line) => line.text)
    .join("\n");
  return { seq: last.seq, time: last.time, text };
}
