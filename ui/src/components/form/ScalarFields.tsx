import { useEffect, useState } from "react";
import type { Json } from "@/api/types";
import type { FieldProps } from "@/components/form/context";
import { FieldFrame, Prose, useFieldProps } from "@/components/form/FieldFrame";
import { cn } from "@/lib/cn";

/** One line of text, or several. */
export function TextField({
  path,
  schema,
  title,
  value,
  onChange,
  isRequired,
  isNullable,
  rows,
}: FieldProps<string> & { rows?: number }) {
  const input = useFieldProps(path);
  const change = (text: string) => onChange(text === "" && isNullable ? null : text);
  const shared = {
    ...input,
    value: value ?? "",
    placeholder:
      schema["x-placeholder"] ??
      (schema.examples?.[0] === undefined ? undefined : String(schema.examples[0])),
    spellCheck: rows !== undefined,
  };
  return (
    <FieldFrame path={path} title={title} description={schema.description} isRequired={isRequired}>
      {rows ? (
        <textarea
          {...shared}
          rows={rows}
          onChange={(event) => change(event.target.value)}
          className="field field-sizing-content max-h-80 min-h-24 font-mono"
        />
      ) : (
        <input {...shared} type="text" onChange={(event) => change(event.target.value)} className="field" />
      )}
    </FieldFrame>
  );
}

/** A number as typed: "1." and "-" are on the way to one. */
export function NumberField({
  path,
  schema,
  title,
  value,
  onChange,
  isRequired,
  isNullable,
}: FieldProps<number>) {
  const input = useFieldProps(path);
  const [text, setText] = useState(value === undefined ? "" : String(value));
  useEffect(() => {
    setText((before) =>
      Number(before) === value && before !== "" ? before : value === undefined ? "" : String(value),
    );
  }, [value]);
  const unit = schema["x-unit"];
  return (
    <FieldFrame path={path} title={title} description={schema.description} isRequired={isRequired}>
      <div className="relative">
        <input
          {...input}
          type="text"
          inputMode={schema.type === "integer" ? "numeric" : "decimal"}
          value={text}
          placeholder={isNullable ? "not set" : undefined}
          onChange={(event) => {
            setText(event.target.value);
            const typed = plain(event.target.value.trim());
            if (typed === "") onChange(null);
            // What is no number goes to the server as it is: it knows the right words.
            else onChange((Number.isFinite(Number(typed)) ? Number(typed) : typed) as number);
          }}
          className={cn("field", unit && "pr-14")}
        />
        {unit && (
          <span className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-text-3 text-xs">
            {unit}
          </span>
        )}
      </div>
    </FieldFrame>
  );
}

/** A comma before decimals is read as a point; one that may part thousands is left, and refused in words. */
const plain = (typed: string): string =>
  /^[+-]?[1-9]\d{0,2}(,\d{3})+$/.test(typed) ? typed : typed.replace(",", ".");

export function BooleanField({ path, schema, title, value, onChange }: FieldProps<boolean>) {
  const input = useFieldProps(path);
  return (
    <div data-field={path} className="space-y-1">
      <label className="flex cursor-pointer items-center gap-2.5 text-sm max-md:min-h-11">
        <input
          {...input}
          type="checkbox"
          checked={value ?? false}
          onChange={(event) => onChange(event.target.checked)}
          className="size-4 accent-primary"
        />
        <span className="font-medium">{title}</span>
      </label>
      {schema.description && (
        <p id={`${path}-about`} className="pl-6.5 text-text-3 text-xs">
          <Prose>{schema.description}</Prose>
        </p>
      )}
    </div>
  );
}

export function EnumField({ path, schema, title, value, onChange, isRequired, isNullable }: FieldProps) {
  const input = useFieldProps(path);
  const options = schema.enum ?? [];
  const index = options.indexOf(value ?? null);
  return (
    <FieldFrame path={path} title={title} description={schema.description} isRequired={isRequired}>
      <select
        {...input}
        value={index}
        onChange={(event) => onChange((options[Number(event.target.value)] ?? null) as Json)}
        className="field"
      >
        {(index < 0 || isNullable) && <option value={-1}>not set</option>}
        {options.map((option, position) => (
          <option key={String(option)} value={position}>
            {String(option)}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}
