import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { request } from "@/api/client";
import { useOnce } from "@/api/once";
import { retryPath } from "@/api/queries";
import type { JsonObject, RetryOnly, Run } from "@/api/types";
import { remember } from "@/lib/mine";

export interface RetryWish {
  only: RetryOnly;
  /** Go on behind this item. */
  from?: string;
  /** Params that differ from the old run's. */
  changes: JsonObject;
}

/** Makes the new run and goes to it. */
export function useRetry(run: Run, onMade: () => void) {
  const navigate = useNavigate();
  const once = useOnce();
  return useMutation({
    mutationFn: ({ changes, ...wish }: RetryWish) => {
      const body = { ...wish, ...(Object.keys(changes).length > 0 && { set: changes }) };
      return request<Run>(retryPath(run.id), { method: "POST", body, headers: once(body) });
    },
    onSuccess: (made) => {
      remember(made.id);
      onMade();
      void navigate({ to: `/runs/${made.id}` });
    },
  });
}
