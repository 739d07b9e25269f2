import { useNavigate } from "@tanstack/react-router";
import { Play, Plus, Ship } from "lucide-react";
import { Button } from "@/components/base/Button";
import { Copy } from "@/components/base/Copy";
import { EmptyState } from "@/components/base/EmptyState";
import { useDemoRun } from "@/components/shell/useDemoRun";

const LINES = 'import pilothouse as ph\n\nfor item in ph.track(items, "my job"):\n    ...  # that is all';

/** The first visit: one click to a run at work. */
export function EmptyOverview() {
  const { start, isStarting } = useDemoRun();
  const navigate = useNavigate();
  return (
    <div className="mx-auto max-w-2xl py-[8vh]">
      <EmptyState
        icon={<Ship aria-hidden />}
        title={start ? "No runs yet. See one working in ten seconds." : "No runs yet."}
        actions={
          <>
            {start && (
              <Button
                look="primary"
                size="lg"
                icon={<Play aria-hidden />}
                disabled={isStarting}
                onClick={start}
              >
                {isStarting ? "Starting…" : "Start a demo run"}
              </Button>
            )}
            <Button size="lg" icon={<Plus aria-hidden />} onClick={() => navigate({ to: "/runs/new" })}>
              New run
            </Button>
          </>
        }
      >
        {start && (
          <p>
            The demo needs no API key, no GPU and no download. It does real work, so that you can try pause,
            reload the page, resume and cancel.
          </p>
        )}
      </EmptyState>
      <p className="mb-1.5 text-sm text-text-3">Or watch your own script. Two lines:</p>
      <div className="relative rounded-lg border border-line bg-card shadow-card">
        <pre className="overflow-x-auto p-4 pr-24 font-mono text-sm">{LINES}</pre>
        <Copy text={LINES} className="absolute top-2 right-2">
          Copy
        </Copy>
      </div>
    </div>
  );
}
