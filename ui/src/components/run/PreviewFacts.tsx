import type { ReactNode } from "react";
import type { Kind, Preview } from "@/api/types";
import { count, money, NONE } from "@/lib/format";
import { placeWords, roundly } from "@/lib/preview";

export interface PreviewFactsProps {
  /** Undefined while the server counts. */
  preview: Preview | undefined;
  kind: Kind;
}

/** What is kept, done again and left, and what that will take. */
export function PreviewFacts({ preview, kind }: PreviewFactsProps) {
  const hasCost = kind.metrics.some((metric) => metric.format === "money");
  const { kept, repeated, left, seconds, cost } = preview ?? {};
  const place = preview && placeWords(preview, kind.unit);
  return (
    <dl aria-label="What it will do" className="flex flex-wrap gap-x-8 gap-y-2">
      {place ? (
        <Fact label="Continues at">{place.replace("continues at ", "")}</Fact>
      ) : (
        <Fact label="Kept">{count(kept)}</Fact>
      )}
      <Fact label="Done again">{count(repeated)}</Fact>
      <Fact label="Left">{preview && left === null ? "unknown" : count(left)}</Fact>
      <Fact label="Takes">{typeof seconds === "number" ? `~${roundly(seconds)}` : NONE}</Fact>
      {hasCost && <Fact label="Costs">{typeof cost === "number" ? `~${money(cost)}` : NONE}</Fact>}
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-text-3 text-xs">{label}</dt>
      <dd className="font-semibold text-lg text-text">{children}</dd>
    </div>
  );
}
