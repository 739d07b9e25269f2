/** The items of one run in the browser: pages of the API and live events, in any order, give the same table. */

import type { Item, Judgement, RunEvent } from "@/api/types";

export interface ItemsSnapshot {
  /** Finished items, newest first. */
  readonly finished: readonly Item[];
  readonly inHand: readonly Item[];
}

export const NO_ITEMS: ItemsSnapshot = { finished: [], inHand: [] };

export class ItemTable {
  readonly #items = new Map<string, Item>();
  /** The last word on an item, which may come before its page; `said` is null where it was taken back. */
  readonly #judged = new Map<string, { seq: number; said: Judgement | null }>();
  #order: Item[] = [];
  #isOrdered = true;
  #attempt = 1;

  /** Take a page. What is known already by a later event stays. */
  load(items: readonly Item[]): void {
    for (const item of items) {
      this.#put(item, true);
      if (item.judged) this.judge(item.key, item.judged.seq, item.judged);
    }
  }

  /** Apply one event; older news than what is known of its item changes nothing. */
  fold(event: RunEvent): boolean {
    if (event.type === "run.started") this.#attempt = event.data.attempt;
    if (event.type === "item.started") return this.#put(this.#started(event));
    if (event.type === "item.finished") return this.#put(this.#finished(event));
    if (event.type === "item.judged") {
      const { key, verdict, actor: by } = event.data;
      return this.judge(key, event.seq, verdict && { verdict, by, seq: event.seq });
    }
    return false;
  }

  /** Take what somebody says of an item; an older word than the known one changes nothing. */
  judge(key: string, seq: number, said: Judgement | null): boolean {
    if ((this.#judged.get(key)?.seq ?? 0) >= seq) return false;
    this.#judged.set(key, { seq, said });
    const known = this.#items.get(key);
    if (known === undefined) return false;
    this.#items.set(key, { ...known, judged: said });
    this.#isOrdered = false;
    return true;
  }

  clear(): void {
    this.#items.clear();
    this.#judged.clear();
    this.#order = [];
    this.#isOrdered = true;
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** Frozen lists: the next change makes new ones. */
  snapshot(): ItemsSnapshot {
    if (!this.#isOrdered) {
      this.#order = [...this.#items.values()].filter(isFinished).sort((a, b) => a.seq - b.seq);
      this.#isOrdered = true;
    }
    const inHand = this.#items.size === this.#order.length ? [] : [...this.#items.values()].filter(isInHand);
    return { finished: this.#order.toReversed(), inHand };
  }

  /** A page tells all of an item; of an event alone its label and its first start may be unknown. */
  #put(told: Item, isWhole = false): boolean {
    const known = this.#items.get(told.key);
    if (known !== undefined && (known.seq > told.seq || (known.seq === told.seq && !isWhole))) return false;
    const judged = this.#judged.get(told.key);
    const item = judged ? { ...told, judged: judged.said } : told;
    this.#items.set(item.key, item);
    const isNewest = item.seq > (this.#order.at(-1)?.seq ?? 0);
    if (known !== undefined && isFinished(known)) this.#isOrdered = false;
    else if (isFinished(item) && isNewest) this.#order.push(item);
    else if (isFinished(item)) this.#isOrdered = false;
    return true;
  }

  #started(event: Extract<RunEvent, { type: "item.started" }>): Item {
    const known = this.#items.get(event.data.key);
    const starts = (known?.starts ?? 0) + 1;
    return {
      key: event.data.key,
      state: "in_flight",
      seq: event.seq,
      attempt: this.#attempt,
      starts,
      seconds: null,
      error: null,
      data: {},
      label: event.data.label ?? known?.label ?? null,
      time: event.time,
      possible_duplicate: false,
      judged: null,
    };
  }

  #finished(event: Extract<RunEvent, { type: "item.finished" }>): Item {
    const known = this.#items.get(event.data.key);
    const { key, ok, seconds, error, data, possible_duplicate } = event.data;
    return {
      key,
      state: ok ? "done" : "failed",
      seq: event.seq,
      attempt: known?.attempt ?? this.#attempt,
      starts: known?.starts ?? 1,
      seconds,
      error,
      data,
      label: known?.label ?? null,
      time: event.time,
      possible_duplicate,
      judged: null,
    };
  }
}

const isInHand = (item: Item): boolean => item.state === "in_flight";
const isFinished = (item: Item): boolean => item.state !== "in_flight";
