import { Ban, LoaderCircle, Pause, Play, RotateCcw, Undo2, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { Button, type ButtonProps } from "@/components/base/Button";
import { RetryMenu } from "@/components/run/RetryMenu";
import type { Action, Offer } from "@/lib/analysis/actions";
import { cn } from "@/lib/cn";

export interface RunControlsProps {
  offers: readonly Offer[];
  onAct: (action: Action) => void;
  runId: string;
  units: string;
  /** On phones the buttons share the width of the bar. */
  isBar?: boolean;
}

const ICONS = {
  pause: <Pause aria-hidden />,
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
  resume: "primary",
  "undo-pause": "secondary",
  cancel: "danger-ghost",
  force: "danger",
  retry: "secondary",
};

/** What can be done with the run now. A button that cannot be used stays and says why. */
export function RunControls({ offers, onAct, runId, units, isBar = false }: RunControlsProps) {
  return (
    <div className={cn("flex items-center", isBar ? "gap-6" : "gap-2")}>
      {offers.map((offer) =>
        offer.action === "retry" ? (
          <RetryMenu key="retry" runId={runId} units={units} label={offer.label} blocked={offer.blocked} />
        ) : (
          <ControlButton key={`${offer.action} ${offer.label}`} offer={offer} isBar={isBar} onAct={onAct} />
        ),
      )}
    </div>
  );
}

interface ControlButtonProps {
  offer: Offer;
  isBar: boolean;
  onAct: (action: Action) => void;
}

function ControlButton({ offer, isBar, onAct }: ControlButtonProps) {
  const isWaiting = offer.label.endsWith("…");
  const isCancel = offer.action === "cancel";
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
      className={cn(isBar && "min-w-0 flex-1", !isBar && isCancel && "ml-4", isWaiting && "max-w-64")}
    >
      <span className="truncate">{offer.label}</span>
    </Button>
  );
}
