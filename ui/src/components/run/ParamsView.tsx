import type { Run } from "@/api/types";
import { Card } from "@/components/base/Card";
import { Copy } from "@/components/base/Copy";
import { asCommand } from "@/lib/analysis/command";
import { exactTime } from "@/lib/format";

/** What the run was started with, and how to start it again from elsewhere. */
export function ParamsView({ run }: { run: Run }) {
  const json = JSON.stringify(run.params, null, 2);
  const command = asCommand(run);
  return (
    <div className="space-y-4">
      <Card title="Params" actions={<Copy text={json}>Copy JSON</Copy>}>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by key
          tabIndex={0}
          className="max-h-[60dvh] overflow-auto whitespace-pre-wrap break-words font-mono text-xs leading-5"
        >
          {json}
        </pre>
      </Card>
      <Card title="From the command line" actions={<Copy text={command}>Copy</Copy>}>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by key
          tabIndex={0}
          className="max-h-60 overflow-auto whitespace-pre-wrap break-words font-mono text-xs leading-5"
        >
          {command}
        </pre>
      </Card>
      <Card title="Run">
        <dl className="grid grid-cols-[minmax(6rem,auto)_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
          <Fact label="Id" value={run.id} />
          <Fact label="Number" value={`#${run.number}`} />
          <Fact label="Host" value={run.host} />
          <Fact label="Attempt" value={String(run.attempt)} />
          <Fact label="Retry of" value={run.retry_of} />
          <Fact label="Tags" value={run.tags.join(", ")} />
          <Fact label="Created" value={exactTime(run.created_at)} />
          <Fact label="Started" value={run.started_at && exactTime(run.started_at)} />
          <Fact label="Ended" value={run.ended_at && exactTime(run.ended_at)} />
        </dl>
      </Card>
    </div>
  );
}

function Fact({ label, value }: { label: string; value: string | null }) {
  if (!value) return null;
  return (
    <>
      <dt className="text-text-2">{label}</dt>
      <dd className="min-w-0 break-words">{value}</dd>
    </>
  );
}
