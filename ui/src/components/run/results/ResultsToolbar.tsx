import { Columns3, Search, X } from "lucide-react";
import type { Item, Kind } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Menu, MenuCheck, MenuEntry } from "@/components/run/Menu";
import { type TableColumn, usualFields } from "@/components/run/results/columns";
import { BUILT_IN, type Condition, valuesOf } from "@/lib/analysis/arrange";
import type { TableState } from "@/lib/analysis/tableUrl";
import { count } from "@/lib/format";

const LIMITS = [50, 200, 1000, 0];
const FIELD = "h-7 rounded-md border border-line-strong bg-card px-1.5 text-xs max-md:h-11";

export interface ResultsToolbarProps {
  kind: Kind;
  items: readonly Item[];
  columns: readonly TableColumn[];
  fields: readonly string[];
  onFields: (fields: readonly string[]) => void;
  state: TableState;
  onState: (changes: Partial<TableState>) => void;
}

export function ResultsToolbar({
  kind,
  items,
  columns,
  fields,
  onFields,
  state,
  onState,
}: ResultsToolbarProps) {
  const set = (field: string, value: string) => {
    const others = state.conditions.filter((condition) => condition.field !== field);
    onState({ conditions: value === "" ? others : [...others, { field, value }] });
  };
  const filters = columns.filter((column) => column.filter);
  const isSelected = (condition: Condition) => filters.some((column) => column.field === condition.field);
  return (
    <div className="border-line border-b px-4 py-2">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="mr-auto font-semibold text-sm">Live results</h2>
        <label className="flex h-7 items-center gap-1.5 rounded-md border border-line-strong px-2 focus-within:outline-2 focus-within:outline-focus max-md:h-11">
          <Search aria-hidden size={13} className="text-text-3" />
          <span className="sr-only">Filter the results by text</span>
          <input
            type="search"
            data-shortcut="search"
            value={state.text}
            onChange={(event) => onState({ text: event.target.value })}
            placeholder="Filter"
            className="w-28 bg-transparent text-xs outline-none placeholder:text-text-3"
          />
        </label>
        <select
          aria-label="Rows to show"
          value={state.limit}
          onChange={(event) => onState({ limit: Number(event.target.value) })}
          className={FIELD}
        >
          {LIMITS.map((limit) => (
            <option key={limit} value={limit}>
              {limit === 0 ? "All rows" : `${count(limit)} rows`}
            </option>
          ))}
        </select>
        <Menu
          trigger={
            <Button
              size="sm"
              look="ghost"
              icon={<Columns3 aria-hidden />}
              aria-label="Columns"
              hint="Columns"
            />
          }
        >
          {columns.map((column) => (
            <MenuCheck
              key={column.field}
              checked={fields.includes(column.field)}
              onChange={(checked) =>
                onFields(
                  checked ? [...fields, column.field] : fields.filter((field) => field !== column.field),
                )
              }
            >
              {column.label}
            </MenuCheck>
          ))}
          <MenuEntry onSelect={() => onFields(usualFields(kind))}>Usual columns</MenuEntry>
        </Menu>
      </div>
      <div className="mt-2 flex flex-wrap items-center gap-2 empty:hidden">
        {filters.map((column) => (
          <ValueFilter key={column.field} column={column} items={items} state={state} onChange={set} />
        ))}
        <select
          aria-label="State"
          value={state.conditions.find(({ field }) => field === BUILT_IN.state)?.value ?? ""}
          onChange={(event) => set(BUILT_IN.state, event.target.value)}
          className={FIELD}
        >
          <option value="">State: all</option>
          <option value="done">Done</option>
          <option value="failed">In error</option>
        </select>
        {state.conditions
          .filter((condition) => condition.field !== BUILT_IN.state && !isSelected(condition))
          .map((condition) => (
            <Chip
              key={condition.field}
              condition={condition}
              columns={columns}
              onRemove={() => set(condition.field, "")}
            />
          ))}
      </div>
    </div>
  );
}

interface ValueFilterProps {
  column: TableColumn;
  items: readonly Item[];
  state: TableState;
  onChange: (field: string, value: string) => void;
}

/** The values are listed when the list is opened for the first time, and the chosen one always. */
function ValueFilter({ column, items, state, onChange }: ValueFilterProps) {
  const chosen = state.conditions.find(({ field }) => field === column.field)?.value ?? "";
  const values = valuesOf(items, column.field);
  const isKnown = chosen === "" || values.some(({ value }) => value === chosen);
  return (
    <select
      aria-label={column.label}
      value={chosen}
      onChange={(event) => onChange(column.field, event.target.value)}
      className={`${FIELD} max-w-44`}
    >
      <option value="">{column.label}: all</option>
      {!isKnown && <option value={chosen}>{chosen}</option>}
      {values.map(({ value, count: amount }) => (
        <option key={value} value={value}>
          {value} ({amount})
        </option>
      ))}
    </select>
  );
}

interface ChipProps {
  condition: Condition;
  columns: readonly TableColumn[];
  onRemove: () => void;
}

function Chip({ condition, columns, onRemove }: ChipProps) {
  const label = columns.find((column) => column.field === condition.field)?.label ?? condition.field;
  return (
    <button
      type="button"
      onClick={onRemove}
      aria-label={`Remove the filter ${label}: ${condition.value}`}
      className="flex h-7 items-center gap-1 rounded-full bg-running-soft px-2.5 text-running-text text-xs max-md:h-11"
    >
      {label}: {condition.value || "none"}
      <X aria-hidden size={12} />
    </button>
  );
}
