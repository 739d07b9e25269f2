import { useQuery } from "@tanstack/react-query";
import { resumeQuery } from "@/api/queries";
import type { RunHeader } from "@/api/types";
import { useKinds } from "@/components/kinds";
import { useWaiting } from "@/components/run/useStatus";
import { cn } from "@/lib/cn";
import { previewWords } from "@/lib/preview";
import { survivorWords } from "@/lib/status";

/** One line beside the status: what holds the run up, or what a resume would do. */
export function RunRemark({ run }: { run: RunHeader }) {
  const { kindOf } = useKinds();
  const waiting = useWaiting(run);
  const survivors = survivorWords(run);
  const isReleased = run.status === "paused" && run.strength === "release" && run.attempt > 0 && !run.pending;
  const { data: preview } = useQuery({
    ...resumeQuery(run.id, `${run.attempt} ${run.head}`),
    enabled: isReleased,
  });
  const warning = waiting ?? (run.failure === null && run.wait_seconds === 0 ? run.notice : null);
  const text =
    survivors ??
    warning ??
    (isReleased && preview ? `Resume: ${previewWords(preview, kindOf(run.kind).unit)}` : null);
  if (text === null) return null;
  return (
    <span
      className={cn(
        "min-w-0 text-sm max-md:order-last max-md:w-full",
        survivors ? "font-medium text-fail" : warning ? "text-warn" : "text-text-2",
      )}
    >
      {text}
    </span>
  );
}
