/** Key factories and query options, one per thing the server serves. */

import { queryOptions } from "@tanstack/react-query";
import { query, request } from "@/api/client";
import type { Files, RemovedFile } from "@/api/files";
import type {
  Artifact,
  ItemState,
  ItemsPage,
  JsonObject,
  Kind,
  Machine,
  MachineLoad,
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
  machines: ["machines"] as const,
  load: (host: string, hours: number) => ["machines", host, hours] as const,
  stuck: ["stuck"] as const,
  resume: (id: string, version: string) => ["run", id, "resume", version] as const,
  retry: (id: string, only: RetryOnly, from: string | null) => ["run", id, "retry", only, from] as const,
};

export const kindsQuery = queryOptions({
  queryKey: keys.kinds,
  queryFn: async ({ signal }) => (await request<{ kinds: Kind[] }>("/kinds", { signal })).kinds,
  staleTime: Number.POSITIVE_INFINITY,
  // Whoever comes back from installing what was missing sees that it is there.
  refetchOnWindowFocus: ({ state }) =>
    state.data?.some(({ extra }) => extra?.missing.length) ? "always" : false,
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

/** Where a file is downloaded from. */
const filePath = (id: string, name: string): string =>
  `/runs/${encodeURIComponent(id)}/artifacts/${name.split("/").map(encodeURIComponent).join("/")}`;

export const artifactPath = (id: string, name: string): string => `/api${filePath(id, name)}`;

export const deleteFile = (id: string, name: string): Promise<void> =>
  request(filePath(id, name), { method: "DELETE" });

const filesQuery = (id: string) =>
  queryOptions({
    queryKey: keys.artifacts(id),
    queryFn: ({ signal }) => request<Files>(`/runs/${encodeURIComponent(id)}/artifacts`, { signal }),
  });

export const artifactsQuery = (id: string) => ({ ...filesQuery(id), select: presentOf });

/** What a rule has removed; of the same answer. */
export const removedFilesQuery = (id: string) => ({ ...filesQuery(id), select: removedOf });

const presentOf = (files: Files): Artifact[] => files.artifacts;
const removedOf = (files: Files): RemovedFile[] => files.removed;

const MACHINES_MS = 10_000;

/** The machines of all hosts of the last week. */
export const machinesQuery = queryOptions({
  queryKey: keys.machines,
  queryFn: async ({ signal }) => (await request<{ machines: Machine[] }>("/machines", { signal })).machines,
  refetchInterval: 6 * MACHINES_MS,
});

/** What a host's machine was busy with during the last hours. */
export const loadQuery = (host: string, hours: number) =>
  queryOptions({
    queryKey: keys.load(host, hours),
    queryFn: ({ signal }) =>
      request<MachineLoad>(`/hosts/${encodeURIComponent(host)}/resources${query({ hours })}`, { signal }),
    refetchInterval: hours === 1 ? MACHINES_MS : 6 * MACHINES_MS,
    enabled: host !== "",
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
    queryKey: keys.resume(id, version),
    queryFn: async () =>
      (
        await request<{ preview?: Preview | null }>(`/runs/${encodeURIComponent(id)}/resume?dry_run=1`, {
          method: "POST",
        })
      ).preview ?? null,
    retry: false,
  });

export const retryPath = (id: string) => `/runs/${encodeURIComponent(id)}/retry`;

export const retryQuery = (id: string, only: RetryOnly, from: string | null = null) =>
  queryOptions({
    queryKey: keys.retry(id, only, from),
    queryFn: () =>
      request<Preview>(`${retryPath(id)}?dry_run=1`, {
        method: "POST",
        body: { only, ...(from !== null && { from }) },
      }),
    staleTime: 10_000,
    retry: false,
  });
