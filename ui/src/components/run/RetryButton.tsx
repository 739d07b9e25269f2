import { RotateCcw } from "lucide-react";
import { useState } from "react";
import type { Kind, Run } from "@/api/types";
import { Button } from "@/components/base/Button";
import { RetryDialog } from "@/components/run/RetryDialog";

export interface RetryButtonProps {
  run: Run;
  kind: Kind;
  label: string;
  blocked: string | null;
  /** On phones it has the width of the bar. */
  isBar?: boolean;
}

/** Opens the question what to run again. */
export function RetryButton({ run, kind, label, blocked, isBar = false }: RetryButtonProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        icon={<RotateCcw aria-hidden />}
        size={isBar ? "lg" : "md"}
        className={isBar ? "flex-1" : ""}
        disabled={blocked !== null}
        shortcut="r"
        data-shortcut="retry"
        onClick={() => setOpen(true)}
        {...(blocked === null ? {} : { hint: blocked })}
      >
        {label}
      </Button>
      {isOpen && <RetryDialog run={run} kind={kind} onClose={() => setOpen(false)} />}
    </>
  );
}
