import { Ban, LoaderCircle, MemoryStick, Pause, Play, RotateCcw, Undo2, X, Zap } from "lucide-react";
import type { ReactNode } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button, type ButtonProps } from "@/components/base/Button";
import type { PauseWish } from "@/components/run/PauseDialog";
import { PauseMenu } from "@/components/run/PauseMenu";
import type { Action, Offer } from "@/lib/analysis/actions";
import { cn } from "@/lib/cn";

export interface RunControlsProps {
  offers: readonly Offer[];
  onAct: (action: Action) => void;
  onPause: (wish: PauseWish) => void;
  run: RunHeader;
  kind: Kind;
  /** In the bar of a phone the buttons share its width; on a card they are small. */
  place?: Place;
}

type Place = "header" | "bar" | "card";
type Size = NonNullable<ButtonProps["size"]>;

const SIZES: Record<Place, Size> = { header: "md", bar: "lg", card: "sm" };
const GAPS: Record<Place, string> = {
  header: "gap-2",
  bar: "gap-4",
  card: "gap-6 max-md:justify-between",
};

const ICONS = {
  pause: <Pause aria-hidden />,
  free: <MemoryStick aria-hidden />,
  resume: <Play aria-hidden />,
  "undo-pause": <Undo2 aria-hidden />,
  cancel: <Ban aria-hidden />,
  force: <Zap aria-hidden />,
  retry: <RotateCcw aria-hidden />,
} satisfies Record<Action, ReactNode>;

const BUSY = <LoaderCircle aria-hidden className="animate-spin" />;

const KEYS: Partial<Record<Action, string>> = {
  pause: "p",
  resume: "p",
  "undo-pause": "p",
  cancel: "x",
  force: "x",
  retry: "r",
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
export function RunControls({ offers, onAct, onPause, run, kind, place = "header" }: RunControlsProps) {
  const draw = (offer: Offer) => {
    if (place === "card" && offer.action === "cancel")
      return <CardCancel key="cancel" offer={offer} name={run.name} onAct={onAct} />;
    const button = <ControlButton key={offer.action} offer={offer} place={place} onAct={onAct} />;
    if (offer.action !== "pause") return button;
    return (
      <div key="pause" className={cn("flex min-w-0", place === "bar" && "flex-1")}>
        {button}
        {offer.blocked === null && <PauseMenu run={run} kind={kind} size={SIZES[place]} onPause={onPause} />}
      </div>
    );
  };
  return <div className={cn("flex items-center", GAPS[place])}>{offers.map(draw)}</div>;
}

interface ControlButtonProps {
  offer: Offer;
  place: Place;
  onAct: (action: Action) => void;
}

function ControlButton({ offer: { action, label, blocked }, place, onAct }: ControlButtonProps) {
  const isBar = place === "bar";
  const isIcon = isBar && action === "free";
  const shortcut = place === "header" ? KEYS[action] : undefined;
  return (
    <Button
      look={place === "card" && action === "resume" ? "secondary" : LOOKS[action]}
      size={SIZES[place]}
      icon={label.endsWith("…") ? BUSY : ICONS[action]}
      disabled={blocked !== null}
      {...(blocked === null ? {} : { hint: blocked })}
      {...(shortcut === undefined ? {} : { shortcut })}
      aria-label={label}
      onClick={() => onAct(action)}
      className={cn(
        isBar && action !== "cancel" && !isIcon && "min-w-0 flex-1",
        place === "header" && action === "cancel" && "ml-4",
        label.endsWith("…") && "max-w-64",
        action === "pause" && blocked === null && "rounded-r-none",
      )}
    >
      {!isIcon && <span className="truncate">{label}</span>}
    </Button>
  );
}

interface CardCancelProps {
  offer: Offer;
  /** The run's name: a list has many such buttons. */
  name: string;
  onAct: (action: Action) => void;
}

function CardCancel({ offer: { action, label, blocked }, name, onAct }: CardCancelProps) {
  return (
    <Button
      size="sm"
      look="danger-ghost"
      aria-label={`${label} ${name}`}
      hint={blocked ?? label}
      icon={label.endsWith("…") ? BUSY : <X aria-hidden />}
      disabled={blocked !== null}
      onClick={() => onAct(action)}
    />
  );
}
