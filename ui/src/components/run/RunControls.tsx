import { Ban, LoaderCircle, MemoryStick, Pause, Play, RotateCcw, Undo2, Zap } from "lucide-react";
import type { ReactNode } from "react";
import type { Kind, Run } from "@/api/types";
import { Button, type ButtonProps } from "@/components/base/Button";
import type { PauseWish } from "@/components/run/PauseDialog";
import { PauseMenu } from "@/components/run/PauseMenu";
import { RetryButton } from "@/components/run/RetryButton";
import type { Action, Offer } from "@/lib/analysis/actions";
import { cn } from "@/lib/cn";

export interface RunControlsProps {
  offers: readonly Offer[];
  onAct: (action: Action) => void;
  onPause: (wish: PauseWish) => void;
  run: Run;
  kind: Kind;
  /** On phones the buttons share the width of the bar. */
  isBar?: boolean;
}

const ICONS = {
  pause: <Pause aria-hidden />,
  free: <MemoryStick aria-hidden />,
  resume: <Play aria-hidden />,
  "undo-pause": <Undo2 aria-hidden />,
  cancel: <Ban aria-hidden />,
  force: <Zap aria-hidden />,
  retry: <RotateCcw aria-hidden />,
} satisfies Record<Action, ReactNode>;

const KEYS: Partial<Record<Action, string>> = {
  pause: "p",
  resume: "p",
  "undo-pause": "p",
  cancel: "x",
  force: "x",
};

const LOOKS: Record<Action, NonNullable<ButtonProps["look"]>> = {
  pause: "secondary",
  free: "ghost",
  resume: "primary",
  "undo-pause": "secondary",
  cancel: "danger-ghost",
  force: "danger",
  retry: "secondary",
};

/** What can be done with the run now. A button that cannot be used stays and says why. */
export function RunControls({ offers, onAct, onPause, run, kind, isBar = false }: RunControlsProps) {
  const draw = (offer: Offer) => {
    if (offer.action === "retry")
      return (
        <RetryButton
          key="retry"
          run={run}
          kind={kind}
          label={offer.label}
          blocked={offer.blocked}
          isBar={isBar}
        />
      );
    const button = (
      <ControlButton key={`${offer.action} ${offer.label}`} offer={offer} isBar={isBar} onAct={onAct} />
    );
    if (offer.action !== "pause" || offer.blocked !== null) return button;
    return (
      <div key="pause" className={cn("flex min-w-0", isBar && "flex-1")}>
        {button}
        <PauseMenu
          name={run.name}
          unit={kind.unit}
          canRelease={kind.can_release && !run.attached}
          size={isBar ? "lg" : "md"}
          onPause={onPause}
        />
      </div>
    );
  };
  return <div className={cn("flex items-center", isBar ? "gap-4" : "gap-2")}>{offers.map(draw)}</div>;
}

interface ControlButtonProps {
  offer: Offer;
  isBar: boolean;
  onAct: (action: Action) => void;
}

function ControlButton({ offer, isBar, onAct }: ControlButtonProps) {
  const isWaiting = offer.label.endsWith("…");
  const isCancel = offer.action === "cancel";
  const isIcon = isBar && offer.action === "free";
  const isSplit = offer.action === "pause" && offer.blocked === null;
  const shortcut = KEYS[offer.action];
  return (
    <Button
      look={LOOKS[offer.action]}
      size={isBar ? "lg" : "md"}
      icon={isWaiting ? <LoaderCircle aria-hidden className="animate-spin" /> : ICONS[offer.action]}
      disabled={offer.blocked !== null}
      {...(offer.blocked === null ? {} : { hint: offer.blocked })}
      {...(shortcut === undefined || isBar ? {} : { shortcut })}
      aria-label={offer.label}
      onClick={() => onAct(offer.action)}
      className={cn(
        isBar && !isCancel && !isIcon && "min-w-0 flex-1",
        !isBar && isCancel && "ml-4",
        isWaiting && "max-w-64",
        isSplit && "rounded-r-none",
      )}
    >
      {!isIcon && <span className="truncate">{offer.label}</span>}
    </Button>
  );
}
