/** Who did what: events of the audit in words. */

import type { RunEvent } from "@/api/types";

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
        did: `asked to ${event.data.force ? "stop by force" : event.data.control}`,
        why: event.data.reason,
      };
    case "control.withdrawn":
      return { who: event.data.actor, did: "took the pause back" };
    case "run.paused":
      return {
        who: event.data.actor ?? ENGINE,
        did: "paused",
        why: event.data.unclean ? "the process had ended" : null,
      };
    case "run.resumed":
      return { who: event.data.actor, did: "resumed" };
    case "run.cancelled":
      return { who: event.data.by, did: "cancelled" };
    case "run.edited":
      return {
        who: event.data.actor,
        did: event.data.name ? `renamed it to ${event.data.name}` : "changed its tags",
      };
    case "params.changed":
      return { who: event.data.actor, did: `set ${wordsOf(event.data.values)}` };
    case "run.completed":
      return { who: ENGINE, did: "completed", why: event.data.message };
    case "run.failed":
      return { who: ENGINE, did: "failed", why: event.data.message };
    case "run.interrupted":
      return { who: ENGINE, did: "queued it again", why: event.data.reason };
    default:
      return { who: ENGINE, did: event.type };
  }
}

function wordsOf(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} to ${JSON.stringify(value)}`)
    .join(", ");
}
