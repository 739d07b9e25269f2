/** Key factories and query options, one per thing the server serves. */

import { queryOptions } from "@tanstack/react-query";
import { query, request } from "@/api/client";
import type {
  Artifact,
  ItemState,
  ItemsPage,
  JsonObject,
  Kind,
  MetricsPage,
  Preview,
  RetryOnly,
  Run,
  RunEvent,
  RunsPage,
  StuckReport,
} from "@/api/types";

export interface RunFilters {
  status?: readonly string[];
  kind?: readonly string[];
  owner?: readonly string[];
  tag?: readonly string[];
  q?: string;
  limit?: number;
  before?: number;
}

export interface ItemFilters {
  limit?: number;
  before?: number;
  state?: ItemState;
  q?: string;
  where?: JsonObject;
}

export const keys = {
  kinds: ["kinds"] as const,
  runs: (filters: RunFilters = {}) => ["runs", filters] as const,
  run: (id: string) => ["run", id] as const,
  items: (id: string, filters: ItemFilters = {}) => ["run", id, "items", filters] as const,
  metrics: (id: string, names: readonly string[]) => ["run", id, "metrics", names] as const,
  audit: (id: string) => ["run", id, "audit"] as const,
  artifacts: (id: string) => ["run", id, "artifacts"] as const,
  watchers: (id: string) => ["run", id, "watchers"] as const,
  stuck: ["stuck"] as const,
};

export const kindsQuery = queryOptions({
  queryKey: keys.kinds,
  queryFn: async ({ signal }) => (await request<{ kinds: Kind[] }>("/kinds", { signal })).kinds,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Loaded once; the live layer folds events onto it from there. */
export const runQuery = (id: string) =>
  queryOptions({
    queryKey: keys.run(id),
    queryFn: ({ signal }) => request<Run>(`/runs/${encodeURIComponent(id)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const runsPath = (filters: RunFilters) => `/runs${query({ ...filters })}`;

export const runsQuery = (filters: RunFilters = {}) =>
  queryOptions({
    queryKey: keys.runs(filters),
    queryFn: ({ signal }) => request<RunsPage>(runsPath(filters), { signal }),
  });

export const itemsPath = (id: string, filters: ItemFilters) =>
  `/runs/${encodeURIComponent(id)}/items${query({ ...filters, where: filters.where && JSON.stringify(filters.where) })}`;

export const itemsQuery = (id: string, filters: ItemFilters = {}) =>
  queryOptions({
    queryKey: keys.items(id, filters),
    queryFn: ({ signal }) => request<ItemsPage>(itemsPath(id, filters), { signal }),
  });

export const metricsQuery = (id: string, names: readonly string[], points = 2000) =>
  queryOptions({
    queryKey: keys.metrics(id, names),
    queryFn: ({ signal }) =>
      request<MetricsPage>(
        `/runs/${encodeURIComponent(id)}/metrics${query({ names: names.join(","), points })}`,
        {
          signal,
        },
      ),
  });

export const auditQuery = (id: string) =>
  queryOptions({
    queryKey: keys.audit(id),
    queryFn: async ({ signal }) =>
      (await request<{ events: RunEvent[] }>(`/runs/${encodeURIComponent(id)}/audit`, { signal })).events,
  });

export const artifactsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.artifacts(id),
    queryFn: async ({ signal }) =>
      (await request<{ artifacts: Artifact[] }>(`/runs/${encodeURIComponent(id)}/artifacts`, { signal }))
        .artifacts,
  });

const STUCK_MS = 10_000;

/** Who does not move, and who waits for a host. Asked for only while somebody shows it. */
export const stuckQuery = queryOptions({
  queryKey: keys.stuck,
  queryFn: ({ signal }) => request<StuckReport>("/stuck", { signal }),
  refetchInterval: STUCK_MS,
  staleTime: STUCK_MS / 2,
  retry: false,
});

/** What a resume would keep, repeat and do; null where it repeats nothing to speak of. */
export const resumeQuery = (id: string, version: string) =>
  queryOptions({
    queryKey: ["run", id, "resume", version] as const,
    queryFn: async () =>
      (
        await request<{ preview?: Preview | null }>(`/runs/${encodeURIComponent(id)}/resume?dry_run=1`, {
          method: "POST",
        })
      ).preview ?? null,
    retry: false,
  });

export const retryPath = (id: string) => `/runs/${encodeURIComponent(id)}/retry`;

export const retryQuery = (id: string, only: RetryOnly) =>
  queryOptions({
    queryKey: ["run", id, "retry", only] as const,
    queryFn: () => request<Preview>(`${retryPath(id)}?dry_run=1`, { method: "POST", body: { only } }),
    staleTime: 10_000,
    retry: false,
  });
