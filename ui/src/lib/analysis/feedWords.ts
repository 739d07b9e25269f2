/** Events as lines of the activity feed: who did what, in words. */

import type { Item, RunEvent } from "@/api/types";
import type { FeedEvent, FeedType } from "@/lib/analysis/feed";
import { bytes, duration } from "@/lib/format";

/** The types the feed asks the server for. Items in error come from the items themselves. */
export const FEED_TYPES: readonly RunEvent["type"][] = [
  "note",
  "run.queued",
  "run.started",
  "run.paused",
  "run.resumed",
  "run.completed",
  "run.failed",
  "run.cancelled",
  "run.interrupted",
  "run.stuck",
  "run.recovered",
  "run.cancel_overdue",
  "run.edited",
  "control.requested",
  "control.withdrawn",
  "params.changed",
  "phase.started",
  "artifact.saved",
  "guard.tripped",
];

type Words = readonly [type: FeedType, text: string, detail?: string | undefined];

/** Null for an event that is not news for a reader. */
export function toFeed(event: RunEvent, unit: string): FeedEvent | null {
  const words = lifeWords(event, unit) ?? askedWords(event) ?? workWords(event);
  if (words === null) return null;
  const [type, text, detail] = words;
  return { seq: event.seq, time: event.time, type, text, detail };
}

/** An item in error as a line that leads to its row. */
export function errorToFeed(item: Item): FeedEvent {
  return {
    seq: item.seq,
    time: item.time,
    type: "error",
    text: item.error ?? "Ended in an error",
    detail: item.label ?? item.key,
    itemKey: item.key,
  };
}

function lifeWords(event: RunEvent, unit: string): Words | null {
  switch (event.type) {
    case "run.queued":
      return ["control", `Queued by ${event.data.owner}`];
    case "run.started":
      return event.data.attempt > 1
        ? ["backup", `Started again, attempt ${event.data.attempt}`, onHost(event.data.host)]
        : ["training", "Started", onHost(event.data.host)];
    case "run.paused":
      return ["control", event.data.actor ? `Paused by ${event.data.actor}` : "Paused"];
    case "run.resumed":
      return ["control", `Resumed by ${event.data.actor}`];
    case "run.completed":
      return ["metrics", event.data.message ?? "Completed"];
    case "run.failed":
      return ["error", event.data.message, event.data.hint ?? undefined];
    case "run.cancelled":
      return ["control", `Cancelled by ${event.data.by}`];
    case "run.interrupted":
      return ["backup", `Interrupted: ${event.data.reason}. It starts again by itself.`];
    case "run.stuck":
      return ["error", `No ${unit} for ${duration(event.data.seconds)}`, event.data.cause ?? undefined];
    case "run.recovered":
      return ["backup", "Moving again"];
    case "run.cancel_overdue":
      return ["error", "The job does not stop. Its processes are being ended."];
    default:
      return null;
  }
}

function askedWords(event: RunEvent): Words | null {
  switch (event.type) {
    case "run.edited":
      return [
        "control",
        event.data.name
          ? `Renamed to ${event.data.name} by ${event.data.actor}`
          : `Tags changed by ${event.data.actor}`,
      ];
    case "control.requested":
      return [
        "control",
        `${event.data.actor} asked to ${event.data.force ? "stop it by force" : event.data.control}`,
        event.data.reason ?? undefined,
      ];
    case "control.withdrawn":
      return ["control", `${event.data.actor} took the pause back`];
    case "params.changed":
      return [
        "control",
        `${event.data.actor} changed ${Object.keys(event.data.values).join(", ")}`,
        JSON.stringify(event.data.values),
      ];
    default:
      return null;
  }
}

function workWords(event: RunEvent): Words | null {
  switch (event.type) {
    case "note":
      return [event.data.feed, event.data.text];
    case "phase.started":
      return [
        "training",
        (event.data.of ?? 1) > 1
          ? `${event.data.name} (${event.data.index} of ${event.data.of})`
          : event.data.name,
      ];
    case "artifact.saved":
      return ["file", `Saved ${event.data.name}`, bytes(event.data.bytes)];
    case "guard.tripped":
      return ["error", event.data.text ?? `Limit reached: ${event.data.rule}`];
    default:
      return null;
  }
}

const onHost = (host: string | null): string | undefined => (host ? `on ${host}` : undefined);
