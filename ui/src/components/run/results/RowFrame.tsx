import { type CSSProperties, type ReactNode, useState } from "react";
import type { ResultRowProps } from "@/components/run/results/ResultRow";
import { cn } from "@/lib/cn";

export interface RowFrameProps {
  row: ResultRowProps;
  className: string;
  style?: CSSProperties;
  children: ReactNode;
}

/** A result's place in the table, as a row or a card: where it stands, and whether it has just come, is open or has the cursor. */
export function RowFrame({ row, className, style, children }: RowFrameProps) {
  const { item, index, top, height, isFresh, isOpen, isCursor, onOpen } = row;
  const [fades] = useState(isFresh);
  return (
    <div
      role="row"
      data-index={index}
      data-key={item.key}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      tabIndex={isCursor ? 0 : -1}
      onClick={() => onOpen(item.key)}
      className={cn(
        "absolute inset-x-0 cursor-pointer border-line border-b px-4",
        fades && "animate-fade",
        isOpen && "bg-running-soft",
        className,
      )}
      style={{ transform: `translateY(${top}px)`, height, ...style }}
    >
      {children}
    </div>
  );
}
