import { useEffect, useRef } from "react";
import { EmptyState } from "@/components/base/EmptyState";
import { useDemoRun } from "@/components/shell/useDemoRun";

/** `/demo`: starts a demo run and goes to it. */
export function DemoPage() {
  const { start } = useDemoRun();
  const started = useRef(false);
  useEffect(() => {
    if (!start || started.current) return;
    started.current = true;
    start();
  }, [start]);
  return <EmptyState title="Starting a demo run…" />;
}
