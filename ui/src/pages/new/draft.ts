/** What was typed and not yet started, kept for seven days. */

import type { JsonObject } from "@/api/types";

const DAYS = 7;
const DAY_MS = 86_400_000;
const key = (kind: string) => `pilothouse.draft.${kind}`;

export interface Draft {
  name: string;
  params: JsonObject;
}

export function readDraft(kind: string): Draft | null {
  try {
    const { saved, draft } = JSON.parse(localStorage.getItem(key(kind)) ?? "{}");
    return draft && Date.now() - saved < DAYS * DAY_MS ? (draft as Draft) : null;
  } catch {
    return null;
  }
}

export function saveDraft(kind: string, draft: Draft): void {
  try {
    localStorage.setItem(key(kind), JSON.stringify({ saved: Date.now(), draft }));
  } catch {
    // A draft that is too large for the browser's storage is not kept.
  }
}

export function dropDraft(kind: string): void {
  try {
    localStorage.removeItem(key(kind));
  } catch {
    // Without storage there is none.
  }
}
