/** The activity feed: events in words, repeats in one line. */

export type FeedType = "planned" | "training" | "metrics" | "error" | "backup" | "control" | "file";

export interface FeedEvent {
  readonly seq: number;
  readonly type: FeedType;
  readonly text: string;
  readonly time: string;
  /** A second line, such as the item an error belongs to. */
  readonly detail?: string | undefined;
  readonly itemKey?: string | undefined;
}

export interface FeedLine extends FeedEvent {
  /** How many events the line stands for; `seq`, `time` and `detail` are the latest one's. */
  readonly count: number;
  readonly firstSeq: number;
}

/** Oldest first, one line per run of events that say the same. `firstSeq` is a stable key. */
export function collapse(events: readonly FeedEvent[]): readonly FeedLine[] {
  const lines: FeedLine[] = [];
  for (const event of events) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.type === event.type && last.text === event.text) {
      lines[lines.length - 1] = { ...event, count: last.count + 1, firstSeq: last.firstSeq };
    } else {
      lines.push({ ...event, count: 1, firstSeq: event.seq });
    }
  }
  return lines;
}

/** Two lists, each oldest first, as one. An event that is in both is kept once. */
export function merge(a: readonly FeedEvent[], b: readonly FeedEvent[]): readonly FeedEvent[] {
  const bySeq = new Map<number, FeedEvent>();
  for (const event of [...a, ...b]) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq);
}
