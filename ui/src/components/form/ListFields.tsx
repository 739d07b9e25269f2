import { useState } from "react";
import type { Json } from "@/api/types";
import type { FieldProps } from "@/components/form/context";
import { FieldFrame, useFieldProps } from "@/components/form/FieldFrame";

const words = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);

/** A text that stands for a value while it is being typed, and follows the value when that changes elsewhere. */
function useText<T extends Json>(
  value: T | undefined,
  write: (value: T | undefined) => string,
  read: (text: string) => T,
) {
  const [typed, setTyped] = useState<{ text: string; means: string } | null>(null);
  const now = JSON.stringify(value ?? null);
  const text = typed && typed.means === now ? typed.text : write(value);
  const take = (next: string) => {
    const meant = read(next);
    setTyped({ text: next, means: JSON.stringify(meant) });
    return meant;
  };
  return { text, take };
}

/** Words, separated by commas. */
export function StringsField({ path, schema, title, value, onChange, isRequired }: FieldProps<string[]>) {
  const input = useFieldProps(path);
  const { text, take } = useText<string[]>(value, (list) => (list ?? []).join(", "), words);
  return (
    <FieldFrame path={path} title={title} description={schema.description} isRequired={isRequired}>
      <input
        {...input}
        value={text}
        placeholder="comma, separated"
        onChange={(event) => onChange(take(event.target.value))}
        className="field"
      />
    </FieldFrame>
  );
}

/** Groups of words: one group a line. */
export function GroupsField({ path, schema, title, value, onChange, isRequired }: FieldProps<string[][]>) {
  const input = useFieldProps(path);
  const { text, take } = useText<string[][]>(
    value,
    (groups) => (groups ?? []).map((group) => group.join(", ")).join("\n"),
    (typed) =>
      typed
        .split("\n")
        .map(words)
        .filter((group) => group.length > 0),
  );
  return (
    <FieldFrame
      path={path}
      title={title}
      description={`${schema.description ?? ""} One group a line.`.trim()}
      isRequired={isRequired}
    >
      <textarea
        {...input}
        rows={2}
        value={text}
        onChange={(event) => onChange(take(event.target.value))}
        className="field"
      />
    </FieldFrame>
  );
}

/** Anything else: JSON, kept as text while it is none. */
export function JsonField({ path, schema, title, value, onChange, isRequired }: FieldProps) {
  const input = useFieldProps(path);
  const read = (text: string): Json => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  const { text, take } = useText<Json>(
    value,
    (known) => (known === undefined ? "" : JSON.stringify(known, null, 2)),
    read,
  );
  return (
    <FieldFrame path={path} title={title} description={schema.description ?? "JSON"} isRequired={isRequired}>
      <textarea
        {...input}
        rows={4}
        spellCheck={false}
        value={text}
        onChange={(event) => onChange(take(event.target.value))}
        className="field font-mono"
      />
    </FieldFrame>
  );
}
