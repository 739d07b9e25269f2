import { useMemo } from "react";
import type { JsonObject } from "@/api/types";
import { type ColumnFacts, columnsOf } from "@/lib/columns";
import { count, counted, percent } from "@/lib/format";
import { bytesOf, MOST_BYTES } from "@/lib/records";

const ROWS = 20;
const COLUMNS = 30;
const CHARACTERS = 80;

/** The first records as a table, with what each column holds. */
export function RecordsPreview({ records }: { records: readonly JsonObject[] }) {
  const columns = useMemo(() => columnsOf(records), [records]);
  const size = useMemo(() => bytesOf([...records]), [records]);
  const shown = columns.slice(0, COLUMNS);
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by key */}
      <section aria-label="Preview" tabIndex={0} className="max-h-72 overflow-auto">
        <table className="w-full text-left text-xs">
          <thead className="sticky top-0 bg-surface">
            <tr>
              {shown.map((column) => (
                <th key={column.name} scope="col" className="whitespace-nowrap px-3 py-1.5 align-top">
                  <span className="block font-medium">{column.name}</span>
                  <span className="block font-normal text-text-3">{factsOf(column, records.length)}</span>
                </th>
              ))}
              {columns.length > COLUMNS && (
                <th scope="col" className="whitespace-nowrap px-3 py-1.5 font-medium text-text-3">
                  + {columns.length - COLUMNS}
                </th>
              )}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {records.slice(0, ROWS).map((record, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a preview; rows have no identity.
              <tr key={index}>
                {shown.map(({ name }) => (
                  <td key={name} className="max-w-72 truncate px-3 py-1.5 font-mono">
                    {cell(record[name])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="border-line border-t bg-surface px-3 py-1.5 text-text-3 text-xs">
        {records.length > ROWS && `first ${ROWS} of `}
        {counted(records.length, "row", "rows")} · {counted(columns.length, "column", "columns")} ·{" "}
        {kilobytes(size)} of {kilobytes(MOST_BYTES)}
      </p>
    </div>
  );
}

/** "integer · 3 % missing". */
function factsOf({ type, missing, distinct }: ColumnFacts, rows: number): string {
  const names = type === "category" ? `category of ${distinct}` : type === "empty" ? "no values" : type;
  return missing > 0 && type !== "empty" ? `${names} · ${percent(missing / rows, 0)} missing` : names;
}

/** In the kilobytes of the server's limit: 1,024 bytes. */
export const kilobytes = (bytes: number): string => `${count(Math.ceil(bytes / 1024))} KB`;

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = (typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/\s+/g, " ");
  return text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text;
}
