import { Snowflake } from "lucide-react";
import { Button } from "@/components/base/Button";
import { counted, timeOfDay } from "@/lib/format";

export interface FreezeBannerProps {
  since: string;
  waiting: number;
  onRelease: () => void;
}

/** The view stands still; the news go on arriving. */
export function FreezeBanner({ since, waiting, onRelease }: FreezeBannerProps) {
  return (
    <div
      role="status"
      className="mb-4 flex flex-wrap items-center gap-3 rounded-lg bg-running-soft px-4 py-2 text-running-text text-sm"
    >
      <Snowflake aria-hidden size={16} />
      <span>
        View frozen at {timeOfDay(since)}.
        {waiting > 0 && ` ${counted(waiting, "new event", "new events")} waiting.`}
      </span>
      <Button size="sm" shortcut="f" onClick={onRelease} className="ml-auto">
        Unfreeze
      </Button>
    </div>
  );
}
