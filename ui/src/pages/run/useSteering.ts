import { useMemo, useState } from "react";
import type { Kind, Run } from "@/api/types";
import { needsQuestion } from "@/components/run/CancelDialog";
import { type Action, type Offer, offers } from "@/lib/analysis/actions";
import { useNow } from "@/lib/now";
import { useControl } from "@/live/hooks";
import type { Connection } from "@/live/types";

export type Question = "cancel" | "force" | null;

export interface RunSteering {
  readonly offers: readonly Offer[];
  readonly act: (action: Action) => void;
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
    () => offers(run, { offline, pendingSeconds, unit: kind.unit }),
    [run, offline, pendingSeconds, kind.unit],
  );
  const name = run.name;
  const acts: Record<Action, () => void> = {
    pause: () => void ask("pause", { name }),
    resume: () => void ask("resume", { name }),
    "undo-pause": () => void ask("resume", { name }),
    cancel: () => (needsQuestion(run, elapsed) ? setQuestion("cancel") : void ask("cancel", { name })),
    force: () => setQuestion("force"),
    retry: openRetryMenu,
  };
  return {
    offers: offered,
    act: (action) => {
      if (offered.some((offer) => offer.action === action && offer.blocked === null)) acts[action]();
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

/** A menu opens by pointer or key, not by a click that nobody made. */
function openRetryMenu(): void {
  const buttons = [...document.querySelectorAll<HTMLElement>("[data-shortcut=retry]")];
  const button = buttons.find((one) => one.offsetParent !== null && one.closest("[inert]") === null);
  button?.focus();
  button?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
}
