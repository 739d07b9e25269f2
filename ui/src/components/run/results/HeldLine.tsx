import { ArrowUp } from "lucide-react";
import { count } from "@/lib/format";

export interface HeldLineProps {
  waiting: number;
  units: string;
  onShow: () => void;
}

/** "↑ 12 new results": it lies over the table and moves no row. */
export function HeldLine({ waiting, units, onShow }: HeldLineProps) {
  if (waiting === 0) return null;
  return (
    <button
      type="button"
      onClick={onShow}
      aria-keyshortcuts="."
      data-shortcut="show-new"
      className="absolute top-11 left-1/2 z-20 flex min-h-8 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line-strong bg-card px-3 font-medium text-running-text text-sm shadow-pop hover:bg-hover max-md:top-2 max-md:min-h-11"
    >
      <ArrowUp aria-hidden size={14} />
      {count(waiting)} new {waiting === 1 ? units.replace(/s$/, "") : units}
    </button>
  );
}
