import { ChevronDown, Copy, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { JsonObject, Schema } from "@/api/types";
import { Button } from "@/components/base/Button";
import { type FieldProps, useForm } from "@/components/form/context";
import { FieldFrame } from "@/components/form/FieldFrame";
import { Properties } from "@/components/form/SchemaField";
import { cn } from "@/lib/cn";
import { defaultsOf, resolve } from "@/lib/schema";

/** A list of objects, such as prompts or models: each folds to one line. */
export function ObjectList({ path, schema, title, value, onChange, isRequired }: FieldProps<JsonObject[]>) {
  const { root, errorAt } = useForm();
  const items = value ?? [];
  const item = resolve(schema.items ?? {}, root).schema;
  const [open, setOpen] = useState<number | null>(null);
  const replace = (index: number, next: JsonObject) =>
    onChange(items.map((old, at) => (at === index ? next : old)));
  const add = (next: JsonObject) => {
    onChange([...items, next]);
    setOpen(items.length);
  };
  return (
    <FieldFrame
      path={path}
      title={items.length > 0 ? `${title} (${items.length})` : title}
      description={schema.description}
      isRequired={isRequired}
      isGroup
      actions={
        <Button
          size="sm"
          look="ghost"
          icon={<Plus aria-hidden />}
          aria-label={`Add to ${title}`}
          onClick={() => add(defaultsOf(item, root))}
        >
          Add
        </Button>
      }
    >
      {items.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line bg-card">
          {items.map((one, index) => {
            const place = `${path}.${index}`;
            const isOpen = open === index || errorAt(place) !== undefined;
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: the items have no identity but their place.
              <li key={index}>
                <div className="flex items-center gap-1 pr-1.5">
                  <button
                    type="button"
                    aria-expanded={isOpen}
                    onClick={() => setOpen(isOpen ? null : index)}
                    className="flex min-h-10 min-w-0 grow items-center gap-2 px-3 text-left text-sm hover:bg-hover"
                  >
                    <ChevronDown
                      aria-hidden
                      size={15}
                      className={cn("shrink-0 text-text-3 transition-transform", !isOpen && "-rotate-90")}
                    />
                    <span className="shrink-0 font-medium">{labelOf(one, item) || `New ${index + 1}`}</span>
                    <span className="min-w-0 truncate text-text-3 text-xs">{restOf(one, item, root)}</span>
                  </button>
                  <Button
                    size="sm"
                    look="ghost"
                    aria-label={`Copy ${labelOf(one, item)}`}
                    icon={<Copy aria-hidden />}
                    onClick={() => add({ ...one })}
                  />
                  <Button
                    size="sm"
                    look="ghost"
                    aria-label={`Remove ${labelOf(one, item)}`}
                    icon={<Trash2 aria-hidden />}
                    onClick={() => onChange(items.filter((_, at) => at !== index))}
                  />
                </div>
                {isOpen && (
                  <div className="border-line border-t bg-surface p-4">
                    <Properties
                      path={place}
                      schema={item}
                      value={one}
                      onChange={(next) => replace(index, next)}
                      isDense
                    />
                  </div>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </FieldFrame>
  );
}

const firstProperty = (schema: Schema): string => Object.keys(schema.properties ?? {})[0] ?? "";

function labelOf(item: JsonObject, schema: Schema): string {
  const value = item[firstProperty(schema)];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The other fields in a line, as far as they say anything. */
function restOf(item: JsonObject, schema: Schema, root: Schema): string {
  const usual = defaultsOf(schema, root);
  return Object.entries(item)
    .filter(
      ([name, value]) => name !== firstProperty(schema) && value !== null && value !== "" && !isEmpty(value),
    )
    .filter(
      ([name, value]) =>
        schema.required?.includes(name) || JSON.stringify(usual[name]) !== JSON.stringify(value),
    )
    .map(([, value]) =>
      (typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/\s+/g, " ").slice(0, 160),
    )
    .join(" · ");
}

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
