import { ChevronDown } from "lucide-react";
import { useState } from "react";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Menu, MenuEntry } from "@/components/run/Menu";
import { PauseDialog, type PauseWish } from "@/components/run/PauseDialog";
import { mayRelease } from "@/lib/analysis/actions";
import { cn } from "@/lib/cn";

export interface PauseMenuProps {
  run: RunHeader;
  kind: Kind;
  size: "sm" | "md" | "lg";
  onPause: (wish: PauseWish) => void;
}

/** The choices beside the Pause button, which itself pauses at once. */
export function PauseMenu({ run, kind, size, onPause }: PauseMenuProps) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Menu
        trigger={
          <Button
            size={size}
            icon={<ChevronDown aria-hidden />}
            aria-label="Ways to pause"
            className={cn("rounded-l-none border-l-0", size === "lg" ? "w-12" : "w-7")}
          />
        }
      >
        {mayRelease(run, kind) && (
          <MenuEntry onSelect={() => onPause({ strength: "release" })} note="saves and leaves">
            Pause and free memory
          </MenuEntry>
        )}
        <MenuEntry onSelect={() => onPause({ strength: "hold", until: "15m" })}>Pause for 15 min</MenuEntry>
        <MenuEntry onSelect={() => onPause({ strength: "hold", until: "1h" })}>Pause for 1 hour</MenuEntry>
        <MenuEntry onSelect={() => setAsking(true)} note="time, reason">
          Pause until…
        </MenuEntry>
      </Menu>
      {isAsking && <PauseDialog run={run} kind={kind} onPause={onPause} onClose={() => setAsking(false)} />}
    </>
  );
}
