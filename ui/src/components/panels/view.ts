/** What every panel may read and do. Panels know no kind: only its declaration. */

import type { Item, Kind, Panel, Run } from "@/api/types";
import type { Condition } from "@/lib/analysis/arrange";
import type { SeriesMap } from "@/lib/analysis/series";
import { formatted } from "@/lib/format";

export interface PanelView {
  readonly kind: Kind;
  readonly run: Run;
  /** Finished items, newest first. */
  readonly items: readonly Item[];
  readonly series: SeriesMap;
  /** The conditions of the results table, so that a panel can mark what is chosen. */
  readonly conditions: readonly Condition[];
  /** Show only these items in the results table; none: all. */
  onFilter(conditions: readonly Condition[]): void;
  /** Show one item whole. */
  onOpen(key: string): void;
  /** Change live params of the run. */
  onParams(values: Record<string, unknown>): Promise<void>;
}

export type PanelOf<T extends Panel["type"]> = Extract<Panel, { type: T }>;

export interface PanelProps<T extends Panel["type"]> {
  readonly panel: PanelOf<T>;
  readonly view: PanelView;
}

/** Whether the table shows exactly these conditions. */
export function isChosen(view: PanelView, conditions: readonly Condition[]): boolean {
  if (view.conditions.length !== conditions.length) return false;
  return conditions.every(({ field, value }) =>
    view.conditions.some((chosen) => chosen.field === field && chosen.value === value),
  );
}

/** Choosing what is chosen already shows everything again. */
export function toggled(view: PanelView, conditions: readonly Condition[]): readonly Condition[] {
  return isChosen(view, conditions) ? [] : conditions;
}

/** A field's value as its column writes it; plain where the kind declares no column. */
export function writerOf(kind: Kind, field: string): (value: unknown) => string {
  const column = kind.columns.find(({ name }) => name === field);
  return (value) => formatted(value, column?.format ?? "number");
}

/** "After step 4: Metrics", or after the first item where no phase is named. */
export function waitingWords(kind: Kind, phase: string | null): string {
  if (phase === null) return `After the first ${kind.unit}`;
  const index = kind.phases.indexOf(phase);
  return index < 0 ? `After ${phase}` : `After step ${index + 1}: ${phase}`;
}

/** An item's short name: what its job calls it, or its key. */
export const nameOfItem = ({ label, key }: Pick<Item, "label" | "key">): string => label ?? key;

/** The label a kind gives a field, or the field's name in words. */
export function labelOf(kind: Kind, field: string): string {
  const column = kind.columns.find(({ name }) => name === field);
  return column?.label ?? field.replaceAll("_", " ");
}
