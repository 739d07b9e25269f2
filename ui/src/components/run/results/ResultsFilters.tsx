import { X } from "lucide-react";
import type { Item } from "@/api/types";
import type { TableColumn } from "@/components/run/results/columns";
import { BUILT_IN, type Condition, valuesOf } from "@/lib/analysis/arrange";
import type { TableState } from "@/lib/analysis/tableUrl";

const FIELD = "h-7 rounded-md border border-line-strong bg-card px-1.5 text-xs max-md:h-11";
const STATES = { done: "done", failed: "in error" } as const;

export interface ResultsFiltersProps {
  columns: readonly TableColumn[];
  items: readonly Item[];
  state: TableState;
  onState: (changes: Partial<TableState>) => void;
  /** Show a list of values per column, and not only what is chosen. */
  isOpen: boolean;
}

/** What is chosen as chips; opened, the values to choose from. */
export function ResultsFilters({ columns, items, state, onState, isOpen }: ResultsFiltersProps) {
  const set = (field: string, value: string) => {
    const others = state.conditions.filter((condition) => condition.field !== field);
    onState({ conditions: value === "" ? others : [...others, { field, value }] });
  };
  const filters = columns.filter((column) => column.filter);
  const chips = state.conditions.filter(
    ({ field }) => !isOpen || (field !== BUILT_IN.state && !filters.some((column) => column.field === field)),
  );
  if (!isOpen && chips.length === 0) return null;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2">
      {isOpen &&
        filters.map((column) => (
          <ValueFilter key={column.field} column={column} items={items} state={state} onChange={set} />
        ))}
      {isOpen && (
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
      )}
      {chips.map((condition) => (
        <Chip
          key={condition.field}
          condition={condition}
          columns={columns}
          onRemove={() => set(condition.field, "")}
        />
      ))}
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
  const column = columns.find(({ field }) => field === condition.field);
  const label = column?.label ?? condition.field;
  const value = valueWords(condition, column);
  return (
    <button
      type="button"
      onClick={onRemove}
      aria-label={`Remove the filter ${label}: ${value}`}
      className="flex h-7 items-center gap-1 rounded-full bg-running-soft px-2.5 text-running-text text-xs max-md:h-11"
    >
      {label}: {value}
      <X aria-hidden size={12} />
    </button>
  );
}

function valueWords({ field, value }: Condition, column: TableColumn | undefined): string {
  if (field === BUILT_IN.state) return STATES[value as keyof typeof STATES] ?? value;
  if (column?.format === "boolean") return value === "true" ? "yes" : "no";
  return value || "none";
}
