import { ClipboardPaste, Trash2, Upload } from "lucide-react";
import { type ChangeEvent, type DragEvent, useMemo, useRef, useState } from "react";
import type { JsonObject } from "@/api/types";
import { Button } from "@/components/base/Button";
import type { FieldProps } from "@/components/form/context";
import { FieldFrame, useFieldProps } from "@/components/form/FieldFrame";
import { kilobytes, RecordsPreview } from "@/components/form/RecordsPreview";
import { cn } from "@/lib/cn";
import { bytes, counted } from "@/lib/format";
import { bytesOf, fitting, MOST_BYTES, parseRecords } from "@/lib/records";

/** Records by paste or file: a preview, their number, and the first bad line by its number. */
export function RecordsField({ value, ...field }: FieldProps<JsonObject[]>) {
  return <RecordsPicker {...field} records={value ?? []} onTake={field.onChange} />;
}

/** A table that is kept as the text it came in: CSV, JSON or JSONL. */
export function TableField({ value, onChange, ...field }: FieldProps<string>) {
  const parsed = useMemo(() => parseRecords(value ?? ""), [value]);
  return (
    <RecordsPicker
      {...field}
      records={"records" in parsed ? parsed.records : []}
      onTake={(records, text) => onChange(records.length > 0 ? text : "")}
    />
  );
}

interface PickerProps extends Omit<FieldProps, "value" | "onChange"> {
  records: JsonObject[];
  /** `text` says the same in JSONL, or as it was given. */
  onTake: (records: JsonObject[], text: string) => void;
}

/** No file of this size is read at all. */
const MOST_FILE_BYTES = 32 * 1024 * 1024;

interface TooMany {
  from: string;
  records: JsonObject[];
  fits: number;
}

function RecordsPicker({ path, schema, title, records, onTake, isRequired }: PickerProps) {
  const [isPasting, setPasting] = useState(false);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [tooMany, setTooMany] = useState<TooMany | null>(null);
  const [isOver, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const { onBlur } = useFieldProps(path);

  const accept = (taken: JsonObject[], content: string) => {
    onTake(taken, content);
    setTooMany(null);
    setProblem(null);
    setPasting(false);
    setText("");
    onBlur();
  };
  const take = (content: string, from: string) => {
    const parsed = parseRecords(content);
    setTooMany(null);
    if ("problem" in parsed) return setProblem(`${from}, line ${parsed.line}: ${parsed.problem}`);
    const fits = fitting(parsed.records);
    setProblem(parsed.records.length === 0 ? `${from} holds no records` : null);
    if (fits < parsed.records.length) setTooMany({ from, records: parsed.records, fits });
    else if (parsed.records.length > 0) accept(parsed.records, content);
  };
  const upload = async (uploaded: File | undefined) => {
    if (!uploaded) return;
    if (uploaded.size <= MOST_FILE_BYTES) return take(await uploaded.text(), uploaded.name);
    setTooMany(null);
    setProblem(`${uploaded.name} has ${bytes(uploaded.size)}. ${TOO_LARGE}`);
  };
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
              onClick={() => onTake([], "")}
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
            onClick={() => take(text, "pasted text")}
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
      {tooMany && <TooLarge {...tooMany} onTake={accept} />}
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

const TOO_LARGE = `At most ${kilobytes(MOST_BYTES)} travel with a run: give a larger table by its path on the server, where the kind takes one.`;

/** More than a run's params may hold: why, and what can be done. */
function TooLarge({
  from,
  records,
  fits,
  onTake,
}: TooMany & { onTake: (records: JsonObject[], text: string) => void }) {
  const first = () => {
    const some = records.slice(0, fits);
    onTake(some, some.map((record) => JSON.stringify(record)).join("\n"));
  };
  return (
    <div
      role="alert"
      className="space-y-2 rounded-md bg-cancelled-soft px-3 py-2 text-cancelled-text text-sm"
    >
      <p>
        {from} has {counted(records.length, "row", "rows")}, {kilobytes(bytesOf(records))}. {TOO_LARGE}
      </p>
      {fits > 0 && (
        <Button size="sm" onClick={first}>
          Use the first {counted(fits, "row", "rows")}
        </Button>
      )}
    </div>
  );
}
