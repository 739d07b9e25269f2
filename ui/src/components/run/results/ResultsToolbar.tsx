import { Columns3, ListFilter, Search } from "lucide-react";
import { useState } from "react";
import type { Item, Kind } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Menu, MenuCheck, MenuEntry } from "@/components/run/Menu";
import { type TableColumn, usualFields } from "@/components/run/results/columns";
import { ResultsFilters } from "@/components/run/results/ResultsFilters";
import type { TableState } from "@/lib/analysis/tableUrl";
import { count } from "@/lib/format";

const LIMITS = [50, 200, 1000, 0];
const FIELD = "h-7 rounded-md border border-line-strong bg-card px-1.5 text-xs max-md:h-11";

export interface ResultsToolbarProps {
  title: string;
  kind: Kind;
  items: readonly Item[];
  columns: readonly TableColumn[];
  fields: readonly string[];
  onFields: (fields: readonly string[]) => void;
  state: TableState;
  onState: (changes: Partial<TableState>) => void;
}

export function ResultsToolbar({
  title,
  kind,
  items,
  columns,
  fields,
  onFields,
  state,
  onState,
}: ResultsToolbarProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="border-line border-b px-4 py-2">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="mr-auto font-semibold text-sm max-md:w-full">{title}</h2>
        <label className="flex h-7 min-w-0 items-center gap-1.5 rounded-md max-md:flex-1 border border-line-strong px-2 focus-within:outline-2 focus-within:outline-focus max-md:h-11">
          <Search aria-hidden size={13} className="text-text-3" />
          <span className="sr-only">Filter the results by text</span>
          <input
            type="search"
            data-shortcut="search"
            value={state.text}
            onChange={(event) => onState({ text: event.target.value })}
            placeholder="Filter"
            className="w-28 min-w-0 bg-transparent max-md:w-full text-xs outline-none placeholder:text-text-3"
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
        <Button
          size="sm"
          look="ghost"
          icon={<ListFilter aria-hidden />}
          aria-label="Filter by value"
          hint="Filter by value"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="aria-expanded:bg-hover aria-expanded:text-text"
        />
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
      <ResultsFilters columns={columns} items={items} state={state} onState={onState} isOpen={isOpen} />
    </div>
  );
}
