import { useMemo, useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { needsQuestion } from "@/components/run/CancelDialog";
import type { PauseWish } from "@/components/run/PauseDialog";
import { type Action, mayRelease, type Offer, offers } from "@/lib/analysis/actions";
import { useNow } from "@/lib/now";
import { cutOffWords, useControl } from "@/live/hooks";
import type { Connection } from "@/live/types";

export type Question = "cancel" | "force" | "retry" | null;

export interface RunSteering {
  readonly offers: readonly Offer[];
  readonly act: (action: Action) => void;
  /** Pause with a strength, an end or a reason. */
  readonly pause: (wish: PauseWish) => void;
  /** The dialog that is open. */
  readonly question: Question;
  readonly close: () => void;
  readonly cancel: () => Promise<boolean>;
  readonly force: () => void;
  readonly isSlow: boolean;
}

/** The run's buttons, and what they do. */
export function useSteering(
  run: RunHeader,
  kind: Kind,
  elapsed: number,
  connection: Connection,
): RunSteering {
  const now = useNow();
  const { ask, asked } = useControl(run.id);
  const [question, setQuestion] = useState<Question>(null);
  const pendingSeconds = run.request ? Math.floor((now - new Date(run.request.time).getTime()) / 1000) : 0;
  const offline = cutOffWords(connection.state);
  const offered = useMemo(
    () => offers(run, { offline, pendingSeconds, unit: kind.unit, canRelease: mayRelease(run, kind) }),
    [run, offline, pendingSeconds, kind],
  );
  const name = run.name;
  const acts: Record<Action, () => void> = {
    pause: () => void ask("pause", { name }),
    free: () => void ask("pause", { strength: "release", name }),
    resume: () => void ask("resume", { name }),
    "undo-pause": () => void ask("resume", { name }),
    cancel: () => (needsQuestion(run, elapsed) ? setQuestion("cancel") : void ask("cancel", { name })),
    force: () => setQuestion("force"),
    retry: () => setQuestion("retry"),
  };
  return {
    offers: offered,
    act: (action) => {
      if (offered.some((offer) => offer.action === action && offer.blocked === null)) acts[action]();
    },
    pause: (wish) => {
      if (offline === null) void ask("pause", { ...wish, name });
    },
    question,
    close: () => setQuestion(null),
    cancel: () => ask("cancel", { name }),
    force: () => {
      setQuestion(null);
      void ask("cancel", { force: true, name });
    },
    isSlow: asked?.stage === "slow",
  };
}
