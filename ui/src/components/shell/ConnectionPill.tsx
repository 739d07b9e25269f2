import { Tooltip } from "@/components/base/Tooltip";
import { CONNECTION_LOOKS, connectionSentence } from "@/components/shell/connection";
import { cn } from "@/lib/cn";
import { useNow } from "@/lib/now";
import { useConnection } from "@/live/hooks";
import type { Connection } from "@/live/types";

/** ● live, or what is the matter. */
export function ConnectionPill({ connection }: { connection: Connection }) {
  useNow();
  const { label, icon: Icon, className, ...look } = CONNECTION_LOOKS[connection.state];
  const turning = "turning" in look;
  return (
    <Tooltip text={connectionSentence(connection)} side="bottom">
      <span
        data-connection={connection.state}
        className={cn(
          "inline-flex h-7 items-center gap-1.5 whitespace-nowrap px-1 font-medium text-xs",
          className,
        )}
      >
        {Icon ? (
          <Icon aria-hidden size={14} className={cn(turning && "animate-spin")} />
        ) : (
          <span aria-hidden className="size-2 rounded-full bg-completed" />
        )}
        {label}
      </span>
    </Tooltip>
  );
}

export function ShellPill() {
  return <ConnectionPill connection={useConnection()} />;
}
