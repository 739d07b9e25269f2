/** Connects the live layer's parts, once per tab. */

import type { QueryClient } from "@tanstack/react-query";
import type { Frame } from "@/api/types";
import { setServerTime } from "@/lib/now";
import { seen } from "@/live/asked";
import { fleet } from "@/live/fleet";
import { followWith, onFolded, standsAt, takeFrames } from "@/live/followed";
import { openWire } from "@/live/wire";

export function startLive(client: QueryClient): void {
  followWith(client);
  onFolded((_, run) => seen(run));
  fleet.onChange((_, run) => seen(run));
  openWire({
    onFrames: (frames) => {
      for (const frame of frames) greet(frame);
      takeFrames(frames);
      fleet.take(frames);
    },
    onAt: standsAt,
  });
}

function greet(frame: Frame): void {
  if (frame.type === "hello" && !("run_id" in frame && frame.run_id)) setServerTime(frame.data.server_time);
}
