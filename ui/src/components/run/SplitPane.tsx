import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";

const KEY = "pilothouse.run.split";
const LEAST = 22;
const MOST = 60;
const USUAL = 40;

export interface SplitPaneProps {
  left: ReactNode;
  right: ReactNode;
  /** Lies over the right column; nothing moves when it comes. */
  over?: ReactNode;
  isFolded: boolean;
}

/** Two columns with a border that drags (or moves by arrow keys). The place is remembered. */
export function SplitPane({ left, right, over, isFolded }: SplitPaneProps) {
  const [share, setShare] = useState(remembered);
  const box = useRef<HTMLDivElement>(null);
  const place = (percent: number) => {
    const next = Math.min(MOST, Math.max(LEAST, percent));
    setShare(next);
    remember(next);
  };
  const drag = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || box.current === null) return;
    const { left: start, width } = box.current.getBoundingClientRect();
    place(((event.clientX - start) / width) * 100);
  };
  const step = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (by !== undefined) place(share + by);
  };
  return (
    <div ref={box} className="relative flex items-start">
      {!isFolded && (
        <>
          <div className="min-w-0 shrink-0 self-stretch" style={{ width: `calc(${share}% - 0.5rem)` }}>
            {left}
          </div>
          <div
            role="separator"
            tabIndex={0}
            aria-orientation="vertical"
            aria-label="Width of the activity"
            aria-valuenow={Math.round(share)}
            aria-valuemin={LEAST}
            aria-valuemax={MOST}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
            onDoubleClick={() => place(USUAL)}
            onKeyDown={step}
            className="group flex w-4 shrink-0 cursor-col-resize touch-none justify-center self-stretch"
          >
            <span className="w-0.5 rounded-full bg-transparent group-hover:bg-line-strong group-focus-visible:bg-focus group-active:bg-focus" />
          </div>
        </>
      )}
      <div className="min-w-0 flex-1">{right}</div>
      {over && <div className="absolute inset-y-0 right-0 z-20 w-[32rem] max-w-full">{over}</div>}
    </div>
  );
}

function remembered(): number {
  try {
    const value = Number(localStorage.getItem(KEY));
    return value >= LEAST && value <= MOST ? value : USUAL;
  } catch {
    return USUAL;
  }
}

function remember(percent: number): void {
  try {
    localStorage.setItem(KEY, String(Math.round(percent)));
  } catch {
    // Storage is full or forbidden: the border stays where it is until the page is closed.
  }
}
