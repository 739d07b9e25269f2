import { useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { RunHeader } from "@/api/types";
import { isTerminal } from "@/api/types";
import { ring } from "@/components/shell/ring";
import { alarm } from "@/lib/announce";
import { clock } from "@/lib/format";
import { mine } from "@/lib/mine";
import { capital } from "@/lib/status";
import { fleet } from "@/live/fleet";
import { type Notice, say } from "@/live/notices";

/** Tells of runs of this browser that end or get stuck while one looks elsewhere. */
export function useFleetNotices(): void {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const latest = useRef(path);
  latest.current = path;
  useEffect(
    () =>
      fleet.onChange((before, after) => {
        const notice = before && noticeOf(before, after);
        if (!notice || !mine().includes(after.id)) return;
        ring(after);
        const isHere = latest.current.startsWith(`/runs/${after.id}`) && !document.hidden;
        if (after.status === "failed") alarm(notice.text);
        // The overview shows its cards end; a toast would say it twice.
        say({ ...notice, quiet: isHere || (latest.current === "/" && !document.hidden) });
      }),
    [],
  );
}

/** What is worth telling of a change, if anything. */
export function noticeOf(before: RunHeader, after: RunHeader): Notice | null {
  const base = { key: `run:${after.id}:state`, action: { label: "Open", to: `/runs/${after.id}` } };
  if (!before.stuck && after.stuck)
    return {
      ...base,
      level: "error",
      text: `${after.name} looks stuck.`,
      detail: after.stuck_cause ? `${capital(after.stuck_cause)}.` : "It does not move.",
    };
  if (isTerminal(before.status) || !isTerminal(after.status)) return null;
  const took = `after ${clock(after.active_seconds)}`;
  if (after.status === "completed")
    return { ...base, level: "success", text: `${after.name} completed ${took}.` };
  if (after.status === "failed")
    return { ...base, level: "error", text: `${after.name} failed ${took}.`, detail: after.failure?.message };
  return { ...base, level: "info", text: `${after.name} was cancelled ${took}.` };
}
