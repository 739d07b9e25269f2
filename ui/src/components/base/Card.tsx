import type { HTMLAttributes, ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface CardProps extends Omit<HTMLAttributes<HTMLElement>, "title"> {
  title?: ReactNode;
  /** What stands at the right of the title. */
  actions?: ReactNode;
  /** False for tables and lists that reach the edge. */
  padded?: boolean;
}

/** A panel with a quiet heading. */
export function Card({ title, actions, padded = true, className, children, ...rest }: CardProps) {
  return (
    <section className={cn("min-w-0 rounded-lg border border-line bg-card shadow-card", className)} {...rest}>
      {(title || actions) && (
        <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-1.5">
          <h2 className="min-w-0 grow truncate font-semibold text-sm">{title}</h2>
          {actions}
        </header>
      )}
      <div className={padded ? "p-4" : ""}>{children}</div>
    </section>
  );
}
