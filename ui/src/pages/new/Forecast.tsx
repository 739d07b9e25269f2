import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { runsQuery } from "@/api/queries";
import type { Kind, RunHeader } from "@/api/types";
import { Button } from "@/components/base/Button";
import { Card } from "@/components/base/Card";
import { Copy } from "@/components/base/Copy";
import { useSlots } from "@/components/fleet/useSlots";
import { count, counted, money, roughly } from "@/lib/format";
import { titleOf } from "@/lib/schema";
import { within } from "@/lib/status";
import { useFleet } from "@/live/hooks";
import type { NewRun } from "@/pages/new/useNewRun";

const PAST = 20;

/** What this run will be: its size, what past runs say of time and money, and the same thing as a command. */
export function Forecast({ kind, form }: { kind: Kind; form: NewRun }) {
  const { checked } = form;
  const lists = Object.entries(kind.params_schema.properties ?? {}).flatMap(([name, schema]) => {
    const value = (checked?.params ?? form.params)[name];
    if (!Array.isArray(value) || value.length === 0 || schema["x-group"] !== undefined) return [];
    if (schema.format === "table") return [counted(value.length, "row", "rows")];
    return [counted(value.length, singular(titleOf(name, schema)), within(titleOf(name, schema)))];
  });
  return (
    <Card title="This run will">
      <div className="space-y-4">
        <div>
          {lists.length > 0 && <p className="text-sm text-text-2">{lists.join(" · ")}</p>}
          <p data-total>
            {checked?.total == null ? (
              <span className="text-sm text-text-2">{whyNoSize(form, kind)}</span>
            ) : (
              <span className="font-semibold text-2xl tracking-tight">
                = {counted(checked.total, checked.unit, checked.units)}
              </span>
            )}
          </p>
        </div>
        <Estimate kind={kind} total={checked?.total ?? null} />
        <SlotWords />
        <CommandLine kind={kind} form={form} />
      </div>
    </Card>
  );
}

/** What keeps the server from saying how much it will be. */
function whyNoSize({ isChecking, missing, wrong, checked }: NewRun, kind: Kind): string {
  if (missing.length > 0) {
    const titles = missing.map((name) => titleOf(name, kind.params_schema.properties?.[name] ?? {}));
    return `Its size shows once ${listed(titles)} ${titles.length === 1 ? "is" : "are"} filled in.`;
  }
  if (isChecking) return "…";
  if (wrong > 0) return `Its size shows once ${counted(wrong, "field is", "fields are")} mended.`;
  return checked ? `Its ${kind.units} are counted as it goes.` : "Its size is not known yet.";
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

function Estimate({ kind, total }: { kind: Kind; total: number | null }) {
  const { data } = useQuery(runsQuery({ kind: [kind.name], status: ["completed"], limit: PAST }));
  const past = (data?.runs ?? []).filter((run) => run.progress.done > 0 && run.active_seconds > 0);
  if (total === null || !data) return null;
  if (past.length === 0)
    return <p className="text-sm text-text-3">No estimate yet: no run of this kind has completed.</p>;
  const perItem = median(past.map((run) => run.active_seconds / run.progress.done));
  const costs = past.flatMap((run) => costOf(run, kind));
  return (
    <dl className="space-y-1 text-sm">
      <div className="flex justify-between gap-3">
        <dt className="text-text-2">Takes about</dt>
        <dd className="font-medium">{roughly(perItem * total).replace("~", "")}</dd>
      </div>
      {costs.length > 0 && (
        <div className="flex justify-between gap-3">
          <dt className="text-text-2">Costs about</dt>
          <dd className="font-medium">{money(median(costs) * total)}</dd>
        </div>
      )}
      <p className="text-text-3 text-xs">
        From {counted(past.length, "past run", "past runs")} of this kind, whatever their settings.
      </p>
    </dl>
  );
}

function costOf(run: RunHeader, kind: Kind): number[] {
  const metric = kind.metrics.find(({ format }) => format === "money");
  const value = metric && run.metrics[metric.name];
  return typeof value === "number" ? [value / run.progress.done] : [];
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Whether it starts now or waits in line. */
export function useHasRoom(): boolean | null {
  const { running } = useFleet();
  const slots = useSlots(running);
  return slots && slots.hosts > 0 ? slots.busy < slots.all : null;
}

function SlotWords() {
  const { running, runs } = useFleet();
  const slots = useSlots(running);
  if (!slots) return null;
  const queued = runs.filter((run) => run.status === "queued").length;
  if (slots.hosts === 0)
    return <p className="text-sm text-warn">No host is alive. The run waits until one is.</p>;
  const free = slots.all - slots.busy;
  return (
    <p className="text-sm text-text-2">
      {free > queued
        ? `Starts now: ${free} of ${counted(slots.all, "slot is", "slots are")} free.`
        : `Waits in line: all ${count(slots.all)} slots are busy${queued > 0 ? `, ${count(queued)} before it` : ""}.`}
    </p>
  );
}

function CommandLine({ kind, form }: { kind: Kind; form: NewRun }) {
  const name = form.name.trim() ? ` --name ${quoted(form.name.trim())}` : "";
  const command = `pilothouse run ${kind.name} -c params.json${name}`;
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify(form.params, null, 2)], { type: "application/json" }),
    );
    link.download = "params.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return (
    <details className="border-line border-t pt-3 text-sm">
      <summary className="text-text-2 hover:text-text">Same thing from the command line</summary>
      <div className="mt-2 space-y-2">
        <pre className="overflow-x-auto rounded-md bg-surface p-3 font-mono text-xs">{command}</pre>
        <div className="flex gap-2">
          <Copy text={command} look="secondary">
            Copy
          </Copy>
          <Button size="sm" icon={<Download aria-hidden />} onClick={save}>
            params.json
          </Button>
        </div>
      </div>
    </details>
  );
}

const quoted = (text: string): string =>
  /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** "1 model" of a field that is called Models. */
const singular = (title: string): string => within(title).replace(/s$/, "");
