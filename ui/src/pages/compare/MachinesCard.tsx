import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { loadQuery, machinesQuery } from "@/api/queries";
import type { MachineLoad } from "@/api/types";
import { LineChart } from "@/components/panels/LineChart";
import { PanelEmpty, PanelFrame } from "@/components/panels/PanelFrame";
import { PanelSelect } from "@/components/panels/PanelSelect";
import { type Unit, written } from "@/lib/analysis/hardware";
import { bytes, count, counted } from "@/lib/format";
import { charts } from "@/pages/compare/load";

const HEIGHT = 150;
const SPANS = [
  { value: "1", label: "last hour" },
  { value: "24", label: "last 24 hours" },
  { value: "168", label: "last 7 days" },
];
const TITLES: Record<Unit, string> = {
  percent: "Use",
  bytes: "Memory",
  watts: "Power",
  celsius: "Temperature",
  number: "Other",
};

interface MachinesCardProps {
  host: string | undefined;
  hours: number;
  onChange: (changes: { host?: string; hours?: string }) => void;
}

/** What a host's machine was busy with over time, whichever runs it had. */
export function MachinesCard({ host, hours, onChange }: MachinesCardProps) {
  const { data: machines = [] } = useQuery(machinesQuery);
  const name = machines.find((machine) => machine.name === host)?.name ?? machines[0]?.name ?? "";
  const { data: load } = useQuery(loadQuery(name, hours));
  const drawn = useMemo(() => charts(load?.samples ?? []), [load]);
  return (
    <PanelFrame
      title="Machines"
      note={load && factsOf(load)}
      actions={
        <>
          {machines.length > 0 && (
            <PanelSelect
              label="Host"
              value={name}
              options={machines.map((machine) => ({ value: machine.name, label: machine.name }))}
              onChange={(value) => onChange({ host: value })}
            />
          )}
          <PanelSelect
            label="Time span"
            value={String(hours)}
            options={SPANS}
            onChange={(value) => onChange({ hours: value })}
          />
        </>
      }
    >
      {drawn.length === 0 ? (
        <PanelEmpty>A few seconds after a host has begun to call</PanelEmpty>
      ) : (
        <div className="grid gap-x-6 gap-y-4 lg:grid-cols-2">
          {drawn.map(({ unit, lines }) => (
            <section key={unit} aria-label={TITLES[unit]} className="min-w-0">
              <h3 className="mb-1 font-medium text-text-2 text-xs">{TITLES[unit]}</h3>
              <LineChart
                lines={lines}
                isLog={false}
                height={HEIGHT}
                xLabel="time"
                isTime
                {...(unit === "percent" && { most: 100 })}
                write={(value) => written(value, unit)}
              />
            </section>
          ))}
        </div>
      )}
    </PanelFrame>
  );
}

function factsOf({ facts }: MachineLoad): string {
  if (!("cores" in facts)) return "";
  const gpus = facts.gpus.length > 0 ? `, ${count(facts.gpus.length)} × ${facts.gpus[0]?.name}` : "";
  return `${counted(facts.cores, "core", "cores")}, ${bytes(facts.memory_bytes)}${gpus}`;
}
