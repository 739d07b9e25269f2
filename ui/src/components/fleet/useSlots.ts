import { useQuery } from "@tanstack/react-query";
import { request } from "@/api/client";

interface Host {
  name: string;
  free: number;
  running: { run_id: string }[];
  alive: boolean;
}

const ASK_MS = 10_000;

/** Slots of the hosts that are alive; null while unknown. */
export function useSlots(running: number): { busy: number; all: number; hosts: number } | null {
  const { data } = useQuery({
    queryKey: ["hosts", running],
    queryFn: async ({ signal }) => (await request<{ hosts: Host[] }>("/hosts", { signal })).hosts,
    refetchInterval: ASK_MS,
    placeholderData: (before) => before,
  });
  if (!data) return null;
  const alive = data.filter((host) => host.alive);
  const busy = alive.reduce((sum, host) => sum + host.running.length, 0);
  return { busy, all: busy + alive.reduce((sum, host) => sum + host.free, 0), hosts: alive.length };
}
