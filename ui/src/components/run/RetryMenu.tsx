import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronDown, RotateCcw } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { request } from "@/api/client";
import type { Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Menu, MenuEntry, MenuTitle } from "@/components/run/Menu";
import { count } from "@/lib/format";

type Only = "failed" | "remaining" | "all";

/** What a retry would do, as the server counts it. */
interface Preview {
  kept: number;
  repeated: number;
  left: number | null;
}

const CHOICES: readonly (readonly [Only, string])[] = [
  ["remaining", "Retry remaining"],
  ["failed", "Retry failed"],
  ["all", "Run everything again"],
];

export interface RetryMenuProps {
  runId: string;
  units: string;
  label: string;
  blocked: string | null;
}

/** A retry is a new run; the menu says beforehand how much of this one it keeps. */
export function RetryMenu({ runId, units, label, blocked }: RetryMenuProps) {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const retry = useMutation({
    mutationFn: (only: Only) => request<Run>(retryPath(runId), { method: "POST", body: { only } }),
    onSuccess: (run) => void navigate({ to: `/runs/${run.id}` }),
    onError: (error) => toast.error(error.message, { id: `run:${runId}:retry` }),
  });
  return (
    <Menu
      onOpenChange={setOpen}
      trigger={
        <Button
          icon={<RotateCcw aria-hidden />}
          disabled={blocked !== null || retry.isPending}
          shortcut="r"
          data-shortcut="retry"
          {...(blocked === null ? {} : { hint: blocked })}
        >
          {label}
          <ChevronDown aria-hidden />
        </Button>
      }
    >
      <MenuTitle>Starts a new run. This one stays as it is.</MenuTitle>
      {CHOICES.map(([only, name]) => (
        <RetryEntry
          key={only}
          runId={runId}
          only={only}
          units={units}
          isOpen={isOpen}
          onRetry={() => retry.mutate(only)}
        >
          {name}
        </RetryEntry>
      ))}
    </Menu>
  );
}

interface RetryEntryProps {
  runId: string;
  only: Only;
  units: string;
  isOpen: boolean;
  onRetry: () => void;
  children: string;
}

function RetryEntry({ runId, only, units, isOpen, onRetry, children }: RetryEntryProps) {
  const { data } = useQuery({
    queryKey: ["run", runId, "retry", only],
    queryFn: () => request<Preview>(`${retryPath(runId)}?dry_run=1`, { method: "POST", body: { only } }),
    enabled: isOpen,
    staleTime: 10_000,
    retry: false,
  });
  const todo = data === undefined ? null : only === "failed" ? data.repeated : (data.left ?? data.repeated);
  const note = data === undefined || only === "all" ? null : noteOf(data, only, units);
  return (
    <MenuEntry onSelect={onRetry} disabled={todo === 0 && only !== "all"} note={note}>
      {children}
    </MenuEntry>
  );
}

function noteOf({ kept, repeated, left }: Preview, only: Only, units: string): string {
  if (only === "remaining")
    return left === 0 ? "none" : `${left === null ? "" : `${count(left)} `}${units}, ${count(kept)} reused`;
  if (repeated === 0) return "none";
  return left ? `${count(repeated)} and ${count(left)} left` : `${count(repeated)} ${units}`;
}

const retryPath = (runId: string) => `/runs/${encodeURIComponent(runId)}/retry`;
