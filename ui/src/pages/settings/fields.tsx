import { type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

const ROW = "flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3";

export interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  /** In this order. */
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <fieldset className={ROW}>
      <legend className="sr-only">{label}</legend>
      <span aria-hidden className="min-w-40 grow text-sm max-md:w-full">
        {label}
      </span>
      <div className="flex rounded-lg bg-track p-0.5">
        {options.map(([option, text]) => (
          <label
            key={option}
            className={cn(
              "relative flex h-7 cursor-pointer items-center rounded-md px-3 text-sm has-focus-visible:outline-2 has-focus-visible:outline-focus max-md:h-11",
              option === value ? "bg-card font-medium text-text shadow-card" : "text-text-2 hover:text-text",
            )}
          >
            <input
              type="radio"
              name={id}
              checked={option === value}
              onChange={() => onChange(option)}
              className="sr-only"
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export interface ToggleProps {
  label: string;
  note?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** What belongs to it, at its left. */
  children?: ReactNode;
}

/** On or off. */
export function Toggle({ label, note, checked, onChange, children }: ToggleProps) {
  const id = useId();
  return (
    <div className={ROW}>
      <div className="min-w-40 flex-1">
        <label htmlFor={id} className="block cursor-pointer text-sm">
          {label}
        </label>
        {note && <p className="text-text-3 text-xs">{note}</p>}
      </div>
      {children && (
        <div className="flex items-center gap-x-4 max-md:order-last max-md:w-full max-md:gap-x-2">
          {children}
        </div>
      )}
      <button
        id={id}
        type="button"
        role="switch"
        aria-checked={checked}
        onClick={() => onChange(!checked)}
        className={cn(
          "relative h-5 w-9 shrink-0 rounded-full border transition-colors max-md:my-3",
          checked ? "border-primary bg-primary" : "border-control-border bg-track",
        )}
      >
        <span
          className={cn(
            "absolute top-0.5 size-3.5 rounded-full transition-[left]",
            checked ? "left-4.5 bg-on-primary" : "left-0.5 bg-text-2",
          )}
        />
      </button>
    </div>
  );
}
