import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { ApiError } from "@/api/client";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";

/** What a page shows that could not be shown. "No such run" is not a breakdown and gets its own words. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const queries = useQueryErrorResetBoundary();
  const retry = () => {
    queries.reset();
    reset();
    void router.invalidate();
  };
  const status = error instanceof ApiError ? error.status : 0;
  const title = { 403: "You may not see this", 404: "Not found", 410: "This is gone" }[status];
  if (!title) return <ErrorPanel error={error} onRetry={retry} />;
  return (
    <EmptyState
      title={title}
      actions={
        <Link to="/runs" className="font-medium text-primary underline-offset-2 hover:underline">
          All runs
        </Link>
      }
    >
      {error instanceof Error ? error.message : String(error)}
    </EmptyState>
  );
}
