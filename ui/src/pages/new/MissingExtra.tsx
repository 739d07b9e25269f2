import { PackageOpen } from "lucide-react";
import type { Kind } from "@/api/types";
import { Copy } from "@/components/base/Copy";

/** What a kind's job needs and this server lacks, with the command that installs it; said before anything is filled in. */
export function MissingExtra({ kind: { extra } }: { kind: Kind }) {
  if (extra === null || extra.missing.length === 0) return null;
  return (
    <div
      role="note"
      aria-label="Missing packages"
      className="space-y-2 rounded-md bg-cancelled-soft px-3 py-2.5 text-cancelled-text text-sm"
    >
      <p className="flex items-start gap-2">
        <PackageOpen aria-hidden size={16} className="mt-0.5 shrink-0" />
        <span>
          This kind needs the extra <strong className="font-semibold">{extra.name}</strong>, and this server
          lacks {listed(extra.missing)} of it. A run on it fails at its start until you install the extra:
        </span>
      </p>
      <p className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 break-all rounded-md border border-line bg-card px-2 py-1 text-text">
          {extra.command}
        </code>
        <Copy text={extra.command}>Copy</Copy>
      </p>
    </div>
  );
}

/** "torch, peft and datasets". */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
