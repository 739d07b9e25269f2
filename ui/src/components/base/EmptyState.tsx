import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** Where this is the whole page, its title is the heading. */
  isPage?: boolean;
  children?: ReactNode;
  actions?: ReactNode;
  className?: string;
}

/** Why there is nothing here, and the one thing to do about it. */
export function EmptyState({ icon, title, isPage = false, children, actions, className }: EmptyStateProps) {
  const Title = isPage ? "h1" : "p";
  return (
    <div className={cn("flex flex-col items-center gap-3 px-6 py-12 text-center", className)}>
      {icon && <div className="text-text-3 [&_svg]:size-8 [&_svg]:stroke-[1.5]">{icon}</div>}
      <Title className="font-semibold text-lg">{title}</Title>
      {children && <div className="max-w-prose text-text-2">{children}</div>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
