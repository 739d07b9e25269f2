import type { JsonObject } from "@/api/types";
import { counted } from "@/lib/format";

const ROWS = 5;
const COLUMNS = 6;
const CHARACTERS = 80;

/** The first records as a table. */
export function RecordsPreview({ records }: { records: readonly JsonObject[] }) {
  const columns = [...new Set(records.slice(0, 50).flatMap((record) => Object.keys(record)))];
  const shown = columns.slice(0, COLUMNS);
  const more = records.length - ROWS;
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      <div className="overflow-x-auto">
        <table className="w-full text-left text-xs">
          <thead className="bg-surface text-text-3">
            <tr>
              {shown.map((column) => (
                <th key={column} scope="col" className="whitespace-nowrap px-3 py-1.5 font-medium">
                  {column}
                </th>
              ))}
              {columns.length > COLUMNS && (
                <th scope="col" className="px-3 py-1.5 font-medium">
                  + {columns.length - COLUMNS}
                </th>
              )}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {records.slice(0, ROWS).map((record, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a preview; rows have no identity.
              <tr key={index}>
                {shown.map((column) => (
                  <td key={column} className="max-w-72 truncate px-3 py-1.5 font-mono">
                    {cell(record[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && (
        <p className="border-line border-t bg-surface px-3 py-1.5 text-text-3 text-xs">
          and {counted(more, "more", "more")}
        </p>
      )}
    </div>
  );
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = (typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/\s+/g, " ");
  return text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text;
}
