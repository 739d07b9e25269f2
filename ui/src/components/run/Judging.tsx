import { useState } from "react";
import type { Judgement, Verdict } from "@/api/types";
import { VERDICT_LOOKS, VERDICTS } from "@/components/run/VerdictMark";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/keys";

export interface JudgingProps {
  judged: Judgement | null;
  onJudge: (verdict: Verdict | null) => Promise<void>;
}

/** Keep, drop or flag by hand; the same button again takes it back. */
export function Judging({ judged, onJudge }: JudgingProps) {
  const [error, setError] = useState<string | null>(null);
  const press = async (verdict: Verdict) => {
    setError(null);
    try {
      await onJudge(judged?.verdict === verdict ? null : verdict);
    } catch (refusal) {
      setError(refusal instanceof Error ? refusal.message : "That was not taken.");
    }
  };
  useShortcuts(
    "Judge the row",
    VERDICTS.map((verdict, index) => ({
      keys: String(index + 1),
      label: VERDICT_LOOKS[verdict].label,
      run: () => void press(verdict),
    })),
  );
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2">
      <fieldset className="flex gap-1.5">
        <legend className="sr-only">By hand</legend>
        {VERDICTS.map((verdict, index) => {
          const { icon: Icon, label, chip } = VERDICT_LOOKS[verdict];
          const isOn = judged?.verdict === verdict;
          return (
            <button
              key={verdict}
              type="button"
              aria-pressed={isOn}
              aria-keyshortcuts={String(index + 1)}
              onClick={() => void press(verdict)}
              className={cn(
                "inline-flex h-7 items-center gap-1.5 rounded-md border px-2.5 font-medium text-xs transition-colors max-md:min-h-11",
                isOn ? `border-transparent ${chip}` : "border-line-strong bg-card text-text-2 hover:bg-hover",
              )}
            >
              <Icon aria-hidden size={14} />
              {label}
            </button>
          );
        })}
      </fieldset>
      {error ? (
        <span role="alert" className="min-w-0 text-fail text-xs">
          {error}
        </span>
      ) : (
        judged && <span className="min-w-0 truncate text-text-3 text-xs">by {judged.by}</span>
      )}
    </div>
  );
}
