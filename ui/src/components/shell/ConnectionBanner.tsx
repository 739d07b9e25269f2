import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Button } from "@/components/base/Button";
import { CONNECTION_LOOKS, connectionSentence } from "@/components/shell/connection";
import { alarm } from "@/lib/announce";
import { cn } from "@/lib/cn";
import { useNow } from "@/lib/now";
import { useConnection, useLasting } from "@/live/hooks";
import { say } from "@/live/notices";

const TROUBLE = new Set(["reconnecting", "offline", "polling", "signed-out"]);
const LOST = new Set(["reconnecting", "offline"]);

/** Says so when there has been no connection for 2 seconds, and what to do. */
export function ConnectionBanner() {
  const connection = useConnection();
  useNow();
  const isLost = LOST.has(connection.state);
  const shown = useLasting(TROUBLE.has(connection.state), 2000);
  const long = useLasting(isLost, 10_000);

  useEffect(() => {
    if (!long) return;
    alarm("Connection lost. Your runs keep going.");
    say({
      key: "connection",
      level: "error",
      text: "Connection lost.",
      detail: "Your runs keep going.",
      quiet: false,
    });
    return () => {
      alarm("");
      say({ key: "connection", level: "success", text: "Back. Nothing was lost." });
    };
  }, [long]);

  if (!shown) return null;
  const { icon: Icon } = CONNECTION_LOOKS[connection.state];
  const quiet = connection.state === "polling" || connection.state === "signed-out";
  return (
    <div
      data-banner={connection.state}
      className={cn(
        "flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2 text-sm md:px-6",
        quiet ? "bg-queued-soft text-queued-text" : "bg-cancelled-soft text-cancelled-text",
      )}
    >
      {Icon && <Icon aria-hidden size={16} className="shrink-0" />}
      <p className="min-w-0 grow">{connectionSentence(connection)}</p>
      {connection.state === "signed-out" ? (
        <Link to="/login" className="font-medium underline underline-offset-2">
          Sign in
        </Link>
      ) : (
        <Button size="sm" onClick={connection.tryNow}>
          {connection.state === "polling" ? "Try live" : "Try now"}
        </Button>
      )}
    </div>
  );
}
