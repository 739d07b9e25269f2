import { ClipboardPaste, Trash2, Upload } from "lucide-react";
import { type ChangeEvent, type DragEvent, useRef, useState } from "react";
import type { JsonObject } from "@/api/types";
import { Button } from "@/components/base/Button";
import type { FieldProps } from "@/components/form/context";
import { FieldFrame, useFieldProps } from "@/components/form/FieldFrame";
import { RecordsPreview } from "@/components/form/RecordsPreview";
import { cn } from "@/lib/cn";
import { counted } from "@/lib/format";
import { parseRecords } from "@/lib/records";

/** Records by paste or file: a preview, their number, and the first bad line by its number. */
export function RecordsField({ path, schema, title, value, onChange, isRequired }: FieldProps<JsonObject[]>) {
  const records = value ?? [];
  const [isPasting, setPasting] = useState(false);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const { onBlur } = useFieldProps(path);

  const take = (content: string, from: string) => {
    const parsed = parseRecords(content);
    if ("problem" in parsed) return setProblem(`${from} line ${parsed.line}: ${parsed.problem}`);
    setProblem(parsed.records.length === 0 ? `${from} holds no records` : null);
    if (parsed.records.length === 0) return;
    onChange(parsed.records);
    setPasting(false);
    setText("");
    onBlur();
  };
  const upload = async (uploaded: File | undefined) =>
    uploaded && take(await uploaded.text(), `${uploaded.name},`);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void upload(event.dataTransfer.files[0]);
  };

  return (
    <FieldFrame
      path={path}
      title={records.length > 0 ? `${title} (${records.length})` : title}
      description={schema.description}
      isRequired={isRequired}
      isGroup
      actions={
        <>
          <Button size="sm" look="ghost" icon={<Upload aria-hidden />} onClick={() => file.current?.click()}>
            <span className="max-sm:sr-only">Upload</span>
          </Button>
          <Button
            size="sm"
            look="ghost"
            icon={<ClipboardPaste aria-hidden />}
            onClick={() => setPasting(!isPasting)}
          >
            <span className="max-sm:sr-only">Paste</span>
          </Button>
          {records.length > 0 && (
            <Button
              size="sm"
              look="ghost"
              aria-label={`Remove all ${title}`}
              icon={<Trash2 aria-hidden />}
              onClick={() => onChange([])}
            />
          )}
        </>
      }
    >
      <input
        ref={file}
        type="file"
        accept=".jsonl,.ndjson,.json,.csv,.txt"
        aria-label={`File of ${title}`}
        className="sr-only"
        tabIndex={-1}
        onChange={(event: ChangeEvent<HTMLInputElement>) => {
          void upload(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {isPasting && (
        <div className="space-y-2">
          <textarea
            aria-label={`${title} as JSONL, JSON or CSV`}
            value={text}
            onChange={(event) => setText(event.target.value)}
            rows={6}
            spellCheck={false}
            placeholder={'{"id": "a", …}   one object a line, a JSON list, or CSV with a heading'}
            className="field font-mono"
          />
          <Button
            size="sm"
            look="primary"
            disabled={text.trim() === ""}
            onClick={() => take(text, "pasted text,")}
          >
            Use these
          </Button>
        </div>
      )}
      {problem && (
        <p role="alert" className="text-fail text-xs">
          {problem}
        </p>
      )}
      {records.length > 0 ? (
        <RecordsPreview records={records} />
      ) : (
        !isPasting && (
          <button
            type="button"
            onClick={() => file.current?.click()}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={drop}
            className={cn(
              "w-full rounded-lg border border-dashed px-4 py-6 text-center text-sm text-text-3 hover:border-control-border",
              isOver ? "border-primary bg-running-soft" : "border-line-strong",
            )}
          >
            Drop a JSONL, JSON or CSV file here, or choose one.
          </button>
        )
      )}
      <span className="sr-only" role="status">
        {counted(records.length, "record", "records")}
      </span>
    </FieldFrame>
  );
}
