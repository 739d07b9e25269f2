import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { toast } from "sonner";
import { request } from "@/api/client";
import { runQuery } from "@/api/queries";
import type { Run } from "@/api/types";

export interface RunEdits {
  readonly rename: (name: string) => void;
  readonly params: (values: Record<string, unknown>) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Changes to a run that are not controls. What changed comes back by the stream. */
export function useRunEdits(run: Run): RunEdits {
  const client = useQueryClient();
  const navigate = useNavigate();
  const path = `/runs/${encodeURIComponent(run.id)}`;
  const refused = (what: string) => (error: unknown) => {
    toast.error(`Could not ${what}: ${error instanceof Error ? error.message : "no answer"}`, {
      id: `run:${run.id}:edit`,
    });
  };
  const setName = (name: string) =>
    client.setQueryData(runQuery(run.id).queryKey, (known: Run | undefined) => known && { ...known, name });
  return {
    rename: (name) => {
      setName(name);
      request<Run>(path, { method: "PATCH", body: { name } }).catch((error: unknown) => {
        setName(run.name);
        refused("rename it")(error);
      });
    },
    params: async (values) => {
      await request<Run>(path, { method: "PATCH", body: { params: values } });
    },
    remove: async () => {
      try {
        await request(path, { method: "DELETE" });
        await navigate({ to: "/runs" });
      } catch (error) {
        refused("delete it")(error);
      }
    },
  };
}
