import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Tooltip } from "@/components/base/Tooltip";
import { cn } from "@/lib/cn";

const LOOKS = {
  primary: "bg-primary text-on-primary border-transparent hover:bg-primary-hover",
  secondary: "bg-card text-text border-line-strong hover:bg-hover",
  ghost: "bg-transparent text-text-2 border-transparent hover:bg-hover hover:text-text",
  danger: "bg-danger text-on-danger border-transparent hover:bg-danger-hover",
  "danger-ghost": "bg-transparent text-fail border-transparent hover:bg-failed-soft",
} as const;

const SIZES = {
  sm: "h-7 px-2.5 text-xs gap-1.5 max-md:min-h-11 max-md:min-w-11",
  md: "h-8 px-3 text-sm gap-2 max-md:min-h-11 max-md:min-w-11",
  lg: "h-10 px-4 text-base gap-2 max-md:min-h-12",
} as const;

const ICON_ONLY = { sm: "w-7 px-0", md: "w-8 px-0", lg: "w-10 px-0" } as const;

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS;
  size?: keyof typeof SIZES;
  icon?: ReactNode;
  /** What the tooltip says; for a button that cannot be used, why. */
  hint?: string | undefined;
  /** The key that does the same. */
  shortcut?: string;
}

/** A button. Without children it is an icon and needs an `aria-label`. */
export function Button({
  look = "secondary",
  size = "md",
  icon,
  hint,
  shortcut,
  className,
  children,
  disabled,
  onClick,
  ...rest
}: ButtonProps) {
  const button = (
    <button
      type="button"
      // A disabled button that explains itself stays reachable for keyboard and pointer.
      disabled={disabled && !hint}
      aria-disabled={disabled || undefined}
      onClick={disabled ? (event) => event.preventDefault() : onClick}
      aria-keyshortcuts={shortcut}
      className={cn(
        "inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md border font-medium transition-colors [&_svg]:size-4 [&_svg]:shrink-0",
        LOOKS[look],
        SIZES[size],
        !children && ICON_ONLY[size],
        disabled && "cursor-not-allowed opacity-50",
        className,
      )}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
  return hint || shortcut ? (
    <Tooltip text={hint ?? rest["aria-label"] ?? ""} shortcut={shortcut}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
