import { useState } from "react";
import type { Json } from "@/api/types";
import type { FieldProps } from "@/components/form/context";
import { FieldFrame, useFieldProps } from "@/components/form/FieldFrame";
import { cn } from "@/lib/cn";
import { readCommand, readNumbers, readWords, writeCommand, writeWords } from "@/lib/listText";

type Item = string | number;

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

interface ListLook {
  write: (list: readonly string[]) => string;
  read: (text: string) => Item[];
  placeholder: string;
  className?: string;
}

const LOOKS = {
  strings: { write: writeWords, read: readWords, placeholder: "separated by commas, or one a line" },
  command: {
    write: writeCommand,
    read: readCommand,
    placeholder: "python train.py --epochs 3",
    className: "font-mono",
  },
  numbers: { write: (list) => list.join(", "), read: readNumbers, placeholder: "separated by commas" },
} satisfies Record<string, ListLook>;

/** A list of words or numbers, typed as text that grows with it. */
export function ListField(props: FieldProps<Item[]> & { look: keyof typeof LOOKS }) {
  const { path, schema, title, value, onChange, isRequired, look } = props;
  const input = useFieldProps(path);
  const { write, read, placeholder, className }: ListLook = LOOKS[look];
  const { text, take } = useText<Item[]>(value, (list) => write((list ?? []).map(String)), read);
  return (
    <FieldFrame path={path} title={title} description={schema.description} isRequired={isRequired}>
      <textarea
        {...input}
        rows={1}
        value={text}
        placeholder={schema["x-placeholder"] ?? placeholder}
        spellCheck={false}
        onChange={(event) => onChange(take(event.target.value))}
        className={cn("field field-sizing-content max-h-60 resize-none", className)}
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
        .map(readWords)
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

/** An empty object shows how one is written instead. */
const isBlank = (value: Json | undefined): boolean =>
  value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

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
    (known) => (isBlank(known) ? "" : JSON.stringify(known, null, 2)),
    read,
  );
  return (
    <FieldFrame path={path} title={title} description={schema.description ?? "JSON"} isRequired={isRequired}>
      <textarea
        {...input}
        rows={2}
        spellCheck={false}
        value={text}
        placeholder={schema.type === "object" ? '{"name": "value"}' : "JSON"}
        onChange={(event) => onChange(take(event.target.value))}
        className="field field-sizing-content max-h-80 min-h-16 font-mono"
      />
    </FieldFrame>
  );
}
