import { History, X } from "lucide-react";
import { Button } from "@/components/base/Button";
import { count } from "@/lib/format";
import { type Loss, setLoss, useLosses } from "@/live/losses";

/** Says quietly what is gone of the log of the run on screen. */
export function LogBanner() {
  const [first] = useLosses();
  if (!first) return null;
  const [id, loss] = first;
  return (
    <div
      role="status"
      data-banner={loss.kind}
      className="flex items-center gap-3 border-line border-b bg-queued-soft px-4 py-2 text-queued-text text-sm md:px-6"
    >
      <History aria-hidden size={16} className="shrink-0" />
      <p className="min-w-0 grow">{lossSentence(loss)}</p>
      <Button
        look="ghost"
        size="sm"
        icon={<X aria-hidden size={16} />}
        aria-label="Close"
        onClick={() => setLoss(id, null)}
      />
    </div>
  );
}

export function lossSentence(loss: Loss): string {
  if (loss.kind === "gap")
    return loss.from === loss.to
      ? `Event ${count(loss.from)} is no longer kept.`
      : `Events ${count(loss.from)}–${count(loss.to)} are no longer kept.`;
  return loss.reason === "the database was replaced"
    ? "The server's database was replaced. This page was reloaded from it."
    : "The run's log is not the one it was. This page was reloaded from it.";
}
