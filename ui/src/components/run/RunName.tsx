import { Pencil } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/base/Button";

export interface RunNameProps {
  name: string;
  onRename: (name: string) => void;
}

/** The run's name; a click makes it a text field, ↵ keeps, Esc gives up. */
export function RunName({ name, onRename }: RunNameProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <span className="group flex min-w-0 items-center gap-1">
        <h1 tabIndex={-1} className="min-w-0 truncate font-semibold text-xl" title={name}>
          {name}
        </h1>
        <Button
          look="ghost"
          size="sm"
          icon={<Pencil aria-hidden />}
          aria-label="Rename"
          onClick={() => setDraft(name)}
          className="opacity-0 focus-visible:opacity-100 group-hover:opacity-100 max-md:hidden"
        />
      </span>
    );
  }
  const keep = () => {
    const wanted = draft.trim();
    setDraft(null);
    if (wanted !== "" && wanted !== name) onRename(wanted);
  };
  return (
    <input
      // biome-ignore lint/a11y/noAutofocus: the field replaces the button that was just pressed
      autoFocus
      aria-label="Name of the run"
      value={draft}
      maxLength={200}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={keep}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") keep();
        if (event.key === "Escape") setDraft(null);
      }}
      className="min-w-0 max-w-full rounded-md border border-control-border bg-card px-2 font-semibold text-xl [field-sizing:content]"
    />
  );
}
