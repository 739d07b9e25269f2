/** Who did what: events of the audit in words. */

import type { EventData, RunEvent } from "@/api/types";
import { askedFor } from "@/lib/analysis/feedWords";
import { counted } from "@/lib/format";

export interface Deed {
  readonly who: string;
  readonly did: string;
  readonly why?: string | null;
}

const ENGINE = "pilothouse";

export function deedOf(event: RunEvent): Deed {
  switch (event.type) {
    case "run.queued":
      return {
        who: event.data.owner,
        did: event.data.retry_of ? `queued it as a retry of ${event.data.retry_of}` : "queued it",
      };
    case "run.started":
      return {
        who: ENGINE,
        did: `started attempt ${event.data.attempt}${event.data.host ? ` on ${event.data.host}` : ""}`,
      };
    case "control.requested":
      return {
        who: event.data.actor,
        did: `asked to ${askedFor(event.data)}`,
        why: event.data.reason,
      };
    case "control.withdrawn":
      return { who: event.data.actor, did: "took the pause back" };
    case "run.paused":
      return {
        who: event.data.actor ?? ENGINE,
        did: event.data.strength === "release" ? "paused, memory freed" : "paused",
        why: event.data.unclean ? "the process had ended" : event.data.reason,
      };
    case "run.resumed":
      return { who: event.data.actor, did: "resumed", why: event.data.reason };
    case "run.cancelled":
      return { who: event.data.by, did: "cancelled", why: event.data.reason };
    case "run.edited":
      return {
        who: event.data.actor,
        did: event.data.name ? `renamed it to ${event.data.name}` : "changed its tags",
      };
    case "item.judged":
      return { who: event.data.actor, did: judgedWords(event.data) };
    case "params.changed":
      return { who: event.data.actor, did: `set ${wordsOf(event.data.values)}` };
    case "run.completed":
      return { who: ENGINE, did: "completed", why: event.data.message };
    case "run.failed":
      return { who: ENGINE, did: "failed", why: event.data.message };
    case "run.interrupted":
      return { who: ENGINE, did: "queued it again", why: event.data.reason };
    case "run.stuck":
      return { who: ENGINE, did: "saw that it does not move", why: event.data.cause };
    case "run.recovered":
      return { who: ENGINE, did: "saw it move again" };
    case "run.cancel_overdue":
      return { who: ENGINE, did: `could not end ${counted(event.data.survivors, "process", "processes")}` };
    default:
      return { who: ENGINE, did: event.type };
  }
}

const JUDGED = { keep: "keeps", drop: "drops", flag: "flags" } as const;

function judgedWords({ key, verdict }: EventData["item.judged"]): string {
  return verdict ? `${JUDGED[verdict]} ${key}` : `took back the word on ${key}`;
}

function wordsOf(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} to ${JSON.stringify(value)}`)
    .join(", ");
}
