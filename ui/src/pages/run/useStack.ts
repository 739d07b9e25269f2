import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/client";
import { newestStack, type Stack } from "@/components/run/StackDrawer";
import { serverNow, useNow } from "@/lib/now";
import { useLogLines } from "@/pages/run/useLogLines";

const PATIENCE_MS = 12_000;

export interface StackView {
  readonly stack: Stack | null;
  readonly state: "waiting" | "here" | "missing";
  readonly refusal: string | null;
  readonly ask: () => void;
}

/** Ask a job for its stack and wait until it is in the log; an older one shows meanwhile. */
export function useStack(runId: string): StackView {
  const { lines, error: unread, reload } = useLogLines(runId);
  const stack = newestStack(lines);
  const now = useNow();
  const [after, setAfter] = useState<number | null>(null);
  const [askedAt, setAskedAt] = useState(0);
  const { mutate, error } = useMutation({
    mutationFn: () =>
      request<{ after: number }>(`/runs/${encodeURIComponent(runId)}/stack`, { method: "POST" }),
    onSuccess: (answer) => setAfter(answer.after),
  });
  const isWaiting = error === null && after !== null && (stack?.seq ?? 0) <= after;
  const isLate = now - askedAt > PATIENCE_MS;
  return {
    stack,
    state: isWaiting ? (isLate ? "missing" : "waiting") : "here",
    refusal: error?.message ?? (unread instanceof Error ? unread.message : null),
    ask: () => {
      if (unread !== null) reload();
      setAfter(Number.MAX_SAFE_INTEGER);
      setAskedAt(serverNow());
      mutate();
    },
  };
}
