import { ChevronDown, ChevronUp, Repeat2, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Item, Kind, Verdict } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { RelativeTime } from "@/components/base/Time";
import { DUPLICATE_WORDS } from "@/components/run/DuplicateMark";
import { FieldValue } from "@/components/run/FieldValue";
import { Judging } from "@/components/run/Judging";
import { cn } from "@/lib/cn";
import { counted, duration } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";

const LONG = 60;

export interface ItemDrawerProps {
  item: Item;
  number: number;
  kind: Kind;
  onJudge: (verdict: Verdict | null) => Promise<void>;
  onClose: () => void;
  /** Null at the end of the list. */
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
  /** Beside the panels on wide screens, over the page on others. */
  isBeside: boolean;
}

/** Everything about one item. It lies beside the table and does not trap the focus. */
export function ItemDrawer({
  item,
  number,
  kind,
  onJudge,
  onClose,
  onPrevious,
  onNext,
  isBeside,
}: ItemDrawerProps) {
  useShortcuts("Open row", [
    { keys: "j", label: "Next row", run: () => onNext?.() },
    { keys: "k", label: "Previous row", run: () => onPrevious?.() },
    { keys: "Escape", label: "Close the row", run: onClose },
  ]);
  const declared = new Set(kind.columns.map((column) => column.name));
  const others = Object.keys(item.data).filter((name) => !declared.has(name));
  return (
    <aside
      aria-label={`${kind.unit} ${number}`}
      className={cn(
        "flex flex-col border-line bg-card shadow-pop",
        isBeside
          ? "h-full rounded-lg border"
          : "fixed inset-y-0 right-0 z-40 w-full border-l md:max-w-[32rem]",
      )}
    >
      <header className="flex h-13 shrink-0 items-center gap-1 border-line border-b px-4">
        <h2 className="mr-auto min-w-0 truncate font-semibold capitalize">
          {kind.unit} {number}
        </h2>
        <Button
          look="ghost"
          size="sm"
          icon={<ChevronUp />}
          aria-label="Previous row"
          shortcut="k"
          disabled={onPrevious === null}
          onClick={() => onPrevious?.()}
        />
        <Button
          look="ghost"
          size="sm"
          icon={<ChevronDown />}
          aria-label="Next row"
          shortcut="j"
          disabled={onNext === null}
          onClick={() => onNext?.()}
        />
        <Button look="ghost" size="sm" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      {item.state !== "in_flight" && <Judging key={item.key} judged={item.judged} onJudge={onJudge} />}
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain p-4">
        {item.state === "failed" && (
          <Block
            label="Error"
            text={item.error ?? "Ended in an error"}
            className="bg-failed-soft text-failed-text"
          />
        )}
        <dl className="grid grid-cols-[minmax(6rem,auto)_minmax(0,1fr)] gap-x-6 gap-y-2.5 text-sm">
          {kind.columns.map((column) => (
            <Field key={column.name} label={column.label} value={item.data[column.name]}>
              <FieldValue value={item.data[column.name]} format={column.format} />
            </Field>
          ))}
          {others.map((name) => (
            <Field key={name} label={name.replaceAll("_", " ")} value={item.data[name]}>
              <FieldValue value={item.data[name]} format="text" />
            </Field>
          ))}
        </dl>
        {item.possible_duplicate && (
          <p className="mt-5 flex items-start gap-2 rounded-md bg-surface px-3 py-2 text-sm text-text-2">
            <Repeat2 aria-hidden size={16} className="mt-0.5 shrink-0" />
            {DUPLICATE_WORDS}
          </p>
        )}
        <footer className="mt-5 flex flex-wrap gap-x-4 gap-y-1 border-line border-t pt-3 text-text-3 text-xs">
          <RelativeTime time={item.time} />
          <span>took {duration(item.seconds)}</span>
          <span>{counted(item.starts, "try", "tries")}</span>
          <span>attempt {item.attempt}</span>
          <span className="flex min-w-0 items-center gap-1">
            <code className="min-w-0 truncate">{item.key}</code>
            <Copy text={item.key} aria-label="Copy the key" className="h-5" />
          </span>
        </footer>
      </div>
    </aside>
  );
}

interface FieldProps {
  label: string;
  value: unknown;
  children: ReactNode;
}

/** A short value stands beside its label; a long one gets a block below it. */
function Field({ label, value, children }: FieldProps) {
  if (value === undefined || value === null || value === "") return null;
  const text = typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
  if (text.length > LONG || text.includes("\n")) {
    return (
      <div className="col-span-2">
        <Block label={label} text={text} />
      </div>
    );
  }
  return (
    <>
      <dt className="text-text-2">{label}</dt>
      <dd className="min-w-0 break-words font-medium">{children}</dd>
    </>
  );
}

function Block({ label, text, className }: { label: string; text: string; className?: string }) {
  return (
    <div className="mb-3">
      <div className="mb-1 flex items-center justify-between text-sm text-text-2">
        {label}
        <Copy text={text} aria-label={`Copy ${label}`} />
      </div>
      <pre
        className={cn(
          "max-h-80 overflow-auto whitespace-pre-wrap break-words rounded-md bg-surface p-3 font-mono text-xs leading-5",
          className,
        )}
      >
        {text}
      </pre>
    </div>
  );
}
