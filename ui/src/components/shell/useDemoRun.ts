import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { request } from "@/api/client";
import { kindsQuery, runQuery } from "@/api/queries";
import type { Example, Kind, Run } from "@/api/types";
import { remember } from "@/lib/mine";
import { say } from "@/live/notices";

/** The first kind's example that is called `demo`, or else its first one. */
export function demoOf(kinds: readonly Kind[]): { kind: Kind; example: Example } | null {
  for (const kind of kinds) {
    const example = kind.examples.find(({ name }) => name === "demo");
    if (example) return { kind, example };
  }
  const kind = kinds.find(({ examples }) => examples.length > 0);
  const example = kind?.examples[0];
  return kind && example ? { kind, example } : null;
}

/** Starts a demo run and goes to it. `start` is null where no kind offers one. */
export function useDemoRun(): { start: (() => void) | null; isStarting: boolean } {
  const { data: kinds } = useQuery(kindsQuery);
  const navigate = useNavigate();
  const demo = demoOf(kinds ?? []);
  const { mutate, isPending } = useMutation({
    mutationFn: ({ kind, example }: { kind: Kind; example: Example }) =>
      request<Run>("/runs", { method: "POST", body: { kind: kind.name, params: example.params } }),
    onSuccess: (run, _, __, { client }) => {
      client.setQueryData(runQuery(run.id).queryKey, run);
      remember(run.id);
      void navigate({ to: "/runs/$runId", params: { runId: run.id } });
    },
    onError: (error) =>
      say({ key: "demo", level: "error", text: "The demo run did not start.", detail: error.message }),
  });
  return { start: demo ? () => mutate(demo) : null, isStarting: isPending };
}
