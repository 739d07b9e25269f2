import { useEffect, useRef } from "react";
import { StackDrawer } from "@/components/run/StackDrawer";
import { focusBack } from "@/lib/focus";
import { useStack } from "@/pages/run/useStack";

/** The stack of a run's job, asked for when it opens. */
export function JobStack({ runId, onClose }: { runId: string; onClose: () => void }) {
  const { stack, state, refusal, ask } = useStack(runId);
  const first = useRef(ask);
  useEffect(() => {
    const opener = document.activeElement;
    first.current();
    return () => focusBack(opener);
  }, []);
  return <StackDrawer stack={stack} state={state} refusal={refusal} onAgain={ask} onClose={onClose} />;
}
