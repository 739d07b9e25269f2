import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { PackageOpen } from "lucide-react";
import { kindsQuery, runQuery } from "@/api/queries";
import { EmptyState } from "@/components/base/EmptyState";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { Skeleton } from "@/components/base/Skeleton";
import { cn } from "@/lib/cn";
import { NewRunForm } from "@/pages/new/NewRunForm";

/** `/runs/new?kind=benchmark&from=<run>`: the form of a kind, empty or with another run's params. */
export function NewRunPage() {
  const { kind: wanted, from } = useSearch({ strict: false });
  const navigate = useNavigate();
  const kinds = useQuery(kindsQuery);
  const model = useQuery({ ...runQuery(from ?? ""), enabled: from !== undefined });

  if (kinds.error) return <ErrorPanel error={kinds.error} onRetry={() => void kinds.refetch()} />;
  if (!kinds.data || (from && model.isLoading)) return <FormSkeleton />;
  const kind = kinds.data.find(({ name }) => name === (wanted ?? model.data?.kind)) ?? kinds.data[0];
  if (!kind)
    return <EmptyState icon={<PackageOpen aria-hidden />} title="This server knows no kinds of run" />;
  const start = model.data?.kind === kind.name ? model.data.params : null;
  return (
    <div className="mx-auto max-w-6xl space-y-4">
      <header className="space-y-3">
        <h1 tabIndex={-1} className="font-semibold text-xl tracking-tight">
          New run
        </h1>
        {kinds.data.length > 1 && (
          <div className="flex flex-wrap gap-1">
            {kinds.data.map(({ name, title }) => (
              <Link
                key={name}
                to="/runs/new"
                search={{ kind: name }}
                aria-current={name === kind.name ? "page" : undefined}
                className={cn(
                  "flex h-8 items-center rounded-full border px-3.5 text-sm max-md:h-11",
                  name === kind.name
                    ? "border-primary bg-running-soft font-medium text-running-text"
                    : "border-line-strong text-text-2 hover:bg-hover",
                )}
              >
                {title}
              </Link>
            ))}
          </div>
        )}
        {kind.summary && (
          <p className="text-sm text-text-2">
            <span className="font-medium text-text">{kind.title}.</span> {kind.summary}
          </p>
        )}
        {model.error && (
          <ErrorPanel
            error={model.error}
            onRetry={() => void navigate({ to: "/runs/new", search: { kind: kind.name } })}
          />
        )}
      </header>
      <NewRunForm key={`${kind.name}:${from ?? ""}`} kind={kind} start={start} />
    </div>
  );
}

function FormSkeleton() {
  return (
    <div className="mx-auto grid max-w-6xl gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <Skeleton className="h-[32rem]" />
      <Skeleton className="h-64" />
    </div>
  );
}
