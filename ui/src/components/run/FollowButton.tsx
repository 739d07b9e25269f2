import { ArrowDownToLine } from "lucide-react";
import { Button } from "@/components/base/Button";
import type { Following } from "@/components/run/useFollow";

/** Shows whether a box follows its newest line, and changes that. */
export function FollowButton({ isFollowing, ask }: Following) {
  return (
    <Button
      look="ghost"
      size="sm"
      icon={<ArrowDownToLine aria-hidden />}
      aria-pressed={isFollowing}
      aria-label="Follow the newest"
      hint={isFollowing ? "Follows the newest line" : "Stands still. Press to follow the newest line"}
      onClick={() => ask(!isFollowing)}
      className="aria-pressed:bg-running-soft aria-pressed:text-running-text"
    />
  );
}
