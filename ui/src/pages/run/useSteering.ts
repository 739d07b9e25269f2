import { useMemo, useState } from "react";
import type { Kind, Run } from "@/api/types";
import { needsQuestion } from "@/components/run/CancelDialog";
import type { PauseWish } from "@/components/run/PauseDialog";
import { type Action, type Offer, offers } from "@/lib/analysis/actions";
import { useNow } from "@/lib/now";
import { useControl } from "@/live/hooks";
import type { Connection } from "@/live/types";

export type Question = "cancel" | "force" | null;

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

const LOST: ReadonlySet<Connection["state"]> = new Set(["offline", "signed-out"]);

/** The run's buttons, and what they do. */
export function useSteering(run: Run, kind: Kind, elapsed: number, connection: Connection): RunSteering {
  const now = useNow();
  const { ask, asked } = useControl(run.id);
  const [question, setQuestion] = useState<Question>(null);
  const pendingSeconds = run.request ? Math.floor((now - new Date(run.request.time).getTime()) / 1000) : 0;
  const offline = LOST.has(connection.state) ? "The server cannot be reached. The run keeps going." : null;
  const offered = useMemo(
    () =>
      offers(run, {
        offline,
        pendingSeconds,
        unit: kind.unit,
        canRelease: kind.can_release && !run.attached,
      }),
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
    retry: openRetry,
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

/** The button that is in view knows what it asks. */
function openRetry(): void {
  const buttons = [...document.querySelectorAll<HTMLElement>("[data-shortcut=retry]")];
  buttons.find((one) => one.offsetParent !== null && one.closest("[inert]") === null)?.click();
}
