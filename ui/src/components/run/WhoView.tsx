import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { auditQuery } from "@/api/queries";
import { Card } from "@/components/base/Card";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { SideScroll } from "@/components/base/SideScroll";
import { Skeleton } from "@/components/base/Skeleton";
import { RelativeTime } from "@/components/base/Time";
import { deedOf } from "@/lib/analysis/deeds";

/** Who did what. `version` changes when somebody did something. */
export function WhoView({ runId, version }: { runId: string; version: string }) {
  const { data, error, refetch } = useQuery(auditQuery(runId));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason to ask again
  useEffect(() => void refetch(), [version, refetch]);
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton className="h-40" />;
  return (
    <Card title="Who did what" padded={false}>
      <SideScroll>
        <table className="w-full text-left text-sm">
          <thead className="text-text-2 text-xs">
            <tr>
              {["When", "Who", "Did", "Why"].map((name) => (
                <th key={name} scope="col" className="px-4 py-2 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line border-line border-t">
            {data.map((event) => {
              const deed = deedOf(event);
              return (
                <tr key={event.seq}>
                  <td className="whitespace-nowrap px-4 py-2 text-text-2">
                    <RelativeTime time={event.time} />
                  </td>
                  <td className="whitespace-nowrap px-4 py-2 font-medium">{deed.who}</td>
                  <td className="px-4 py-2">{deed.did}</td>
                  <td className="max-w-80 break-words px-4 py-2 text-text-2">{deed.why ?? "–"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </SideScroll>
    </Card>
  );
}
