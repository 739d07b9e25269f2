/** Events as lines of the activity feed: who did what, in words. */

import type { EventData, Item, Kind, RunEvent } from "@/api/types";
import type { FeedEvent, FeedType } from "@/lib/analysis/feed";
import { bytes, duration, exactTime } from "@/lib/format";
import { inHandWords, stayWords, undyingWords } from "@/lib/status";

/** What the feed may tell. Items in error come from the items themselves. */
const FEED_TYPES: readonly RunEvent["type"][] = [
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
  "run.notified",
  "control.requested",
  "control.withdrawn",
  "params.changed",
  "phase.started",
  "artifact.saved",
  "artifact.removed",
  "guard.tripped",
];

/** The types the feed asks the server for. Phases that every item goes through are no news each time. */
export function feedTypes({ phases_of_items }: Pick<Kind, "phases_of_items">): readonly RunEvent["type"][] {
  return phases_of_items ? FEED_TYPES.filter((type) => type !== "phase.started") : FEED_TYPES;
}

/** What one item and several are called. */
type Names = Pick<Kind, "unit" | "units">;
type Words = readonly [type: FeedType, text: string, detail?: string | undefined];

/** Null for an event that is not news for a reader. */
export function toFeed(event: RunEvent, { unit, units }: Names): FeedEvent | null {
  const words =
    lifeWords(event) ?? troubleWords(event, { unit, units }) ?? askedWords(event) ?? workWords(event);
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

function lifeWords(event: RunEvent): Words | null {
  switch (event.type) {
    case "run.queued":
      return ["control", `Queued by ${event.data.owner}`];
    case "run.started":
      return event.data.attempt > 1
        ? ["backup", `Started again, attempt ${event.data.attempt}`, onHost(event.data.host)]
        : ["training", "Started", onHost(event.data.host)];
    case "run.paused":
      return pausedWords(event.data);
    case "run.resumed":
      return ["control", `Resumed by ${event.data.actor}`, event.data.reason ?? undefined];
    case "run.completed":
      return ["metrics", event.data.message ?? "Completed"];
    case "run.notified":
      return notifiedWords(event.data);
    case "run.failed":
      return ["error", event.data.message, event.data.hint ?? undefined];
    case "run.cancelled":
      return cancelledWords(event.data);
    default:
      return null;
  }
}

function pausedWords({ actor, strength, unclean, reason, until }: EventData["run.paused"]): Words {
  const who = actor ? `Paused by ${actor}` : "Paused";
  const how = unclean ? "its process had ended" : strength === "release" ? "memory freed" : null;
  const end = until ? `until ${minuteOf(until)}` : null;
  return ["control", who, [reason, how, end].filter(Boolean).join(" · ") || undefined];
}

/** A claim is no news: its outcome is. */
function notifiedWords({ channel, address, state, detail }: EventData["run.notified"]): Words | null {
  if (state === "sending") return null;
  if (state === "failed") return ["error", `Nobody was told by ${channel}`, detail ?? undefined];
  return ["control", `Told by ${channel}`, address];
}

function cancelledWords({ by, reason, confirmed_dead }: EventData["run.cancelled"]): Words {
  const unseen = confirmed_dead ? null : "nobody saw its processes end";
  return ["control", `Cancelled by ${by}`, [reason, unseen].filter(Boolean).join(" · ") || undefined];
}

/** What goes wrong and what is done about it. */
function troubleWords(event: RunEvent, { unit, units }: Names): Words | null {
  switch (event.type) {
    case "run.interrupted": {
      const { reason, in_flight: keys, wait_seconds: wait } = event.data;
      const held = keys.length > 0 ? ` ${inHandWords(keys, unit, units)} and will be done again.` : "";
      const next = wait > 0 ? `The next attempt comes in ${duration(wait)}.` : "It goes on by itself.";
      return ["backup", `Interrupted: ${reason}.${held}`, next];
    }
    case "run.stuck":
      return [
        "error",
        `Stuck: no ${unit} for ${duration(event.data.seconds)}`,
        event.data.cause ?? undefined,
      ];
    case "run.recovered":
      return ["backup", "Moving again"];
    case "run.cancel_overdue":
      return ["error", undyingWords(event.data.survivors), stayWords(event.data.survivors)];
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
        `${event.data.actor} asked to ${askedFor(event.data)}`,
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

/** The control in words: strength, force and end included. */
export function askedFor({ control, force, strength, until }: EventData["control.requested"]): string {
  if (force) return "stop it by force";
  if (control === "cancel") return "cancel it";
  const how = strength === "release" ? "pause it and free its memory" : "pause it";
  return until ? `${how} until ${minuteOf(until)}` : how;
}

/** 2026-01-31 16:34: a log is read on other days, too. */
const minuteOf = (time: string): string => exactTime(time).slice(0, 16);

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
    case "artifact.removed":
      return ["file", `Removed ${event.data.name}`, event.data.reason];
    case "guard.tripped":
      return ["error", event.data.text ?? `Limit reached: ${event.data.rule}`];
    default:
      return null;
  }
}

const onHost = (host: string | null): string | undefined => (host ? `on ${host}` : undefined);
