import { ArrowUp, PanelTop } from "lucide-react";
import { useMemo, useState } from "react";
import type { Item } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { RelativeTime } from "@/components/base/Time";
import { PanelAction, PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import {
  labelOf,
  nameOfItem,
  type PanelOf,
  type PanelProps,
  type PanelView,
  writerOf,
} from "@/components/panels/view";
import { toneOf } from "@/lib/analysis/verdict";
import { cn } from "@/lib/cn";
import { count, counted, formatted, NONE } from "@/lib/format";
import { capital } from "@/lib/status";

const SHORT = 6;
const MORE = 24;

/** The newest items as cards of plain text: what a model wrote is never taken for markup. */
export function SamplesPanel({ panel, view }: PanelProps<"Samples">) {
  const [most, setMost] = useState(SHORT);
  const [held, setHeld] = useState<readonly Item[] | null>(null);
  const speaking = useMemo(() => view.items.filter((item) => speaks(item, panel)), [view.items, panel]);
  const items = held ?? speaking;
  const shown = items.slice(0, most);
  const waiting = speaking.length - items.length;
  return (
    <PanelFrame
      title={panel.title}
      note="newest first"
      actions={
        waiting > 0 && (
          <PanelAction label="Show the new ones" onClick={() => setHeld(null)}>
            <ArrowUp aria-hidden size={14} />
            {counted(waiting, "new one", "new ones")}
          </PanelAction>
        )
      }
    >
      {shown.length === 0 ? (
        <PanelEmpty>After the first {view.kind.unit}</PanelEmpty>
      ) : (
        // What is being read stays where it is: new cards wait while the pointer or the focus is here.
        <ul
          onPointerEnter={({ pointerType }) => pointerType === "mouse" && setHeld(speaking)}
          onPointerLeave={() => setHeld(null)}
          onFocus={() => setHeld(items)}
          onBlur={() => setHeld(null)}
          className="grid @3xl:grid-cols-2 items-stretch gap-3"
        >
          {shown.map((item, index) => (
            <Sample key={item.key} item={item} number={items.length - index} panel={panel} view={view} />
          ))}
        </ul>
      )}
      {items.length > most && (
        <button
          type="button"
          onClick={() => setMost(most + MORE)}
          className="mt-3 h-8 text-primary text-sm hover:underline max-md:h-11"
        >
          Show {count(Math.min(MORE, items.length - most))} more of {count(items.length)}
        </button>
      )}
    </PanelFrame>
  );
}

/** Items of some kinds have nothing to read, such as a stretch of steps without an evaluation. */
const speaks = (item: Item, panel: PanelOf<"Samples">): boolean =>
  item.state === "failed" || panel.text.some((field) => formatted(item.data[field], "text") !== NONE);

/** Whether a field is a number without a unit, which says nothing without its name. */
const isBare = (view: PanelView, field: string): boolean =>
  view.kind.columns.some(
    ({ name, format }) => name === field && (format === "number" || format === "integer"),
  );

interface SampleProps {
  item: Item;
  number: number;
  panel: PanelOf<"Samples">;
  view: PanelView;
}

function Sample({ item, number, panel, view }: SampleProps) {
  const verdict = panel.verdict === null ? null : item.data[panel.verdict];
  const facts = panel.facts.flatMap((field) => {
    const text = writerOf(view.kind, field)(item.data[field]);
    if (text === NONE) return [];
    return isBare(view, field) ? `${labelOf(view.kind, field)} ${text}` : text;
  });
  const texts = panel.text.flatMap((field) => {
    const text = formatted(item.data[field], "text");
    return text === NONE ? [] : [{ field, text }];
  });
  return (
    <li className="flex min-w-0 animate-fade flex-col rounded-lg border border-line bg-surface">
      <header className="flex min-h-10 items-start gap-x-2 px-3 pt-2.5 text-xs">
        <span className="-mt-0.5 shrink-0 font-semibold text-sm">#{count(number)}</span>
        <span className="line-clamp-2 min-w-0 grow text-text-2" title={facts.join(" · ")}>
          {facts.join(" · ")}
        </span>
        {item.state === "failed" ? (
          <Chip tone="fail">in error</Chip>
        ) : (
          typeof verdict === "string" && verdict !== "" && <Chip tone={toneOf(verdict)}>{verdict}</Chip>
        )}
      </header>
      <div className="grow space-y-2 px-3 py-2 text-sm">
        {item.state === "failed" && <p className="line-clamp-4 text-fail">{item.error ?? "In error"}</p>}
        {texts.map(({ field, text }, index) => (
          <div key={field}>
            {texts.length > 1 && <p className="text-text-3 text-xs">{capital(labelOf(view.kind, field))}</p>}
            <p
              className={cn(
                "whitespace-pre-wrap break-words",
                index === 0 ? "line-clamp-3" : "line-clamp-4 text-text-2",
                index === 0 && texts.length > 1 && "font-medium",
              )}
            >
              {text}
            </p>
          </div>
        ))}
      </div>
      <footer className="flex items-center gap-1 border-line border-t px-2 py-1">
        <Button
          size="sm"
          look="ghost"
          icon={<PanelTop aria-hidden />}
          aria-label={`Open ${nameOfItem(item)}`}
          onClick={() => view.onOpen(item.key)}
        >
          Open
        </Button>
        {texts.length > 0 && (
          <Copy text={texts.map(({ text }) => text).join("\n\n")} aria-label={`Copy ${nameOfItem(item)}`}>
            Copy
          </Copy>
        )}
        <span className="ml-auto pr-1 text-text-3 text-xs">
          <RelativeTime time={item.time} />
        </span>
      </footer>
    </li>
  );
}

const TONES = {
  pass: "bg-completed-soft text-completed-text",
  warn: "bg-cancelled-soft text-cancelled-text",
  fail: "bg-failed-soft text-failed-text",
  none: "bg-hover text-text-2",
};

function Chip({ tone, children }: { tone: keyof typeof TONES; children: string }) {
  return (
    <span
      className={cn("max-w-48 shrink-0 truncate rounded-full px-2 py-0.5 font-medium text-xs", TONES[tone])}
      title={children}
    >
      {children}
    </span>
  );
}
