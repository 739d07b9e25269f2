import { Search, X } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Status } from "@/api/types";
import { STATUS_LOOKS } from "@/components/base/StatusBadge";
import { useKinds } from "@/components/kinds";
import { useShortcuts } from "@/lib/keys";
import { FIELDS, type Field, type Filters, isFiltered, LABELS, parseWords } from "@/pages/runs/filters";

const TYPING_MS = 300;

export interface FilterBarProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
}

/** The box understands `status:failed by:ana tag:oct words`; every part becomes a chip. */
export function FilterBar({ filters, onChange }: FilterBarProps) {
  const [text, setText] = useState(filters.q);
  const box = useRef<HTMLInputElement>(null);
  const { kinds } = useKinds();
  useShortcuts("Runs", [{ keys: "/", label: "Filter", run: () => box.current?.focus() }]);

  // The URL may change without the box: back, forward, a chip.
  useEffect(() => setText((typed) => (typed.trim() === filters.q ? typed : filters.q)), [filters.q]);
  const latest = useRef({ filters, onChange });
  latest.current = { filters, onChange };
  useEffect(() => {
    if (text.trim() === latest.current.filters.q || /\w+:\S*$/.test(text)) return;
    const timer = setTimeout(
      () => latest.current.onChange({ ...latest.current.filters, q: text.trim() }),
      TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [text]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next = parseWords(text, filters);
    setText(next.q);
    onChange(next);
  };
  const add = (field: Field, value: string) =>
    value && onChange({ ...filters, [field]: [...new Set([...filters[field], value])] });
  const remove = (field: Field, value: string) =>
    onChange({ ...filters, [field]: filters[field].filter((one) => one !== value) });

  return (
    <search className="space-y-2">
      <form onSubmit={submit} className="flex flex-wrap items-center gap-2">
        <label className="relative min-w-0 grow basis-64">
          <span className="sr-only">Filter runs</span>
          <Search
            aria-hidden
            size={15}
            className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-text-3"
          />
          <input
            ref={box}
            type="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
            placeholder="Name, or status:failed by:ana"
            className="field pl-8"
          />
        </label>
        <select
          aria-label="Status"
          className="field w-auto"
          value=""
          onChange={(event) => add("status", event.target.value)}
        >
          <option value="">Status</option>
          {Object.entries(STATUS_LOOKS).map(([status, { label }]) => (
            <option key={status} value={status}>
              {label}
            </option>
          ))}
        </select>
        <select
          aria-label="Kind"
          className="field w-auto"
          value=""
          onChange={(event) => add("kind", event.target.value)}
        >
          <option value="">Kind</option>
          {kinds.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </form>
      {isFiltered(filters) && (
        <div className="flex flex-wrap items-center gap-1.5">
          {FIELDS.flatMap((field) =>
            filters[field].map((value) => (
              <Chip
                key={`${field}:${value}`}
                label={`${LABELS[field]}: ${field === "status" ? (STATUS_LOOKS[value as Status]?.label ?? value) : value}`}
                onRemove={() => remove(field, value)}
              />
            )),
          )}
          {filters.q && <Chip label={`“${filters.q}”`} onRemove={() => onChange({ ...filters, q: "" })} />}
        </div>
      )}
    </search>
  );
}

function Chip({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <span className="inline-flex items-center gap-1 rounded-full bg-running-soft py-0.5 pr-1 pl-2.5 text-running-text text-xs">
      <span className="max-w-60 truncate">{label}</span>
      <button
        type="button"
        aria-label={`Remove ${label}`}
        onClick={onRemove}
        className="grid size-5 place-items-center rounded-full hover:bg-card max-md:size-8"
      >
        <X aria-hidden size={12} />
      </button>
    </span>
  );
}
