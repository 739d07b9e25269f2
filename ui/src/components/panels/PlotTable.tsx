export interface PlotRow {
  readonly key: string;
  readonly name: string;
  readonly cells: readonly string[];
  /** A word beside the name, such as "best". */
  readonly mark?: string | null;
}

const MOST_ROWS = 200;

/** The numbers of a plot as rows; each opens its item. */
export function PlotTable({
  heads,
  rows,
  height,
  onOpen,
}: {
  heads: readonly string[];
  rows: readonly PlotRow[];
  height: number;
  onOpen: (key: string) => void;
}) {
  return (
    <div className="overflow-auto" style={{ height }}>
      <table className="w-full text-sm">
        <thead className="sticky top-0 bg-card text-text-2 text-xs">
          <tr>
            {heads.map((head, index) => (
              <th
                key={head}
                scope="col"
                className={index === 0 ? "py-1 text-left font-medium" : "py-1 pl-3 text-right font-medium"}
              >
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row) => (
            <tr key={row.key} className="border-line border-t">
              <th scope="row" className="max-w-48 py-0.5 text-left font-normal">
                <button
                  type="button"
                  onClick={() => onOpen(row.key)}
                  className="max-w-full truncate py-0.5 text-primary hover:underline max-md:min-h-11"
                >
                  {row.name}
                </button>
                {row.mark && <span className="ml-2 text-pass text-xs">{row.mark}</span>}
              </th>
              {row.cells.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells stand under their headings
                <td key={index} className="whitespace-nowrap py-1 pl-3 text-right">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && (
        <p className="py-2 text-text-3 text-xs">The first {MOST_ROWS}; the results below have all.</p>
      )}
    </div>
  );
}
