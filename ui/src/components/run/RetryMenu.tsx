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
  const todo = data === undefined ? null : data.repeated + (data.left ?? 0);
  const note =
    data === undefined ? "" : todo === 0 ? "none" : `${count(todo)} ${units}, ${count(data.kept)} reused`;
  return (
    <MenuEntry onSelect={onRetry} disabled={todo === 0 && only !== "all"} note={only === "all" ? null : note}>
      {children}
    </MenuEntry>
  );
}

const retryPath = (runId: string) => `/runs/${encodeURIComponent(runId)}/retry`;
