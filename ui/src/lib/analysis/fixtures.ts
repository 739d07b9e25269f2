/** Items for tests. */

import type { Row } from "@/lib/analysis/row";

export function aRow(seq: number, data: Record<string, unknown> = {}, changes: Partial<Row> = {}): Row {
  return {
    key: `k${seq}`,
    state: "done",
    seq,
    seconds: 1,
    error: null,
    label: null,
    time: "2026-01-31T09:30:00.000Z",
    data,
    ...changes,
  };
}

/** `count` copies of one row, with keys of their own. */
export function rows(count: number, data: Record<string, unknown>, changes: Partial<Row> = {}): Row[] {
  return Array.from({ length: count }, () => {
    serial += 1;
    return aRow(serial, data, changes);
  });
}

let serial = 1_000;
