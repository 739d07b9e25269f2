import { Check, X } from "lucide-react";
import type { Format } from "@/api/types";
import { formatted } from "@/lib/format";

/** A value in its declared format. Text is a text node, whatever a model wrote into it. */
export function FieldValue({ value, format }: { value: unknown; format: Format }) {
  if (typeof value !== "boolean") return formatted(value, format);
  return value ? (
    <span className="inline-flex items-center gap-1 text-pass">
      <Check aria-hidden size={14} strokeWidth={2.5} />
      <span className="sr-only">yes</span>
    </span>
  ) : (
    <span className="inline-flex items-center gap-1 text-text-3">
      <X aria-hidden size={14} strokeWidth={2.5} />
      <span className="sr-only">no</span>
    </span>
  );
}

const NUMERIC: ReadonlySet<Format> = new Set([
  "number",
  "integer",
  "percent",
  "seconds",
  "milliseconds",
  "money",
  "bytes",
]);

export function isNumeric(format: Format): boolean {
  return NUMERIC.has(format);
}
