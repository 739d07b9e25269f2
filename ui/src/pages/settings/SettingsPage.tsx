import { useQuery } from "@tanstack/react-query";
import { LogOut, Play } from "lucide-react";
import { type ReactNode, useState } from "react";
import { request } from "@/api/client";
import { Button } from "@/components/base/Button";
import { Card } from "@/components/base/Card";
import { playSound } from "@/components/shell/ring";
import { count } from "@/lib/format";
import { changeSettings, DEFAULTS, type Settings, useSettings } from "@/lib/settings";
import { Choice, Toggle } from "@/pages/settings/fields";
import { ToldElsewhere } from "@/pages/settings/ToldElsewhere";

/** How this browser likes things. Every change is saved at once. */
export function SettingsPage() {
  const settings = useSettings();
  return (
    <div className="mx-auto max-w-3xl space-y-5">
      <header className="flex items-center gap-3">
        <h1 tabIndex={-1} className="grow font-semibold text-xl tracking-tight">
          Settings
        </h1>
        <Button size="sm" look="ghost" onClick={() => changeSettings(DEFAULTS)}>
          Reset all
        </Button>
      </header>
      <Section title="Appearance" note="Saved in this browser.">
        <Choice
          label="Theme"
          value={settings.theme}
          options={[
            ["system", "System"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
          onChange={(theme) => changeSettings({ theme })}
        />
        <Choice
          label="Density"
          value={settings.density}
          options={[
            ["normal", "Normal"],
            ["compact", "Compact"],
          ]}
          onChange={(density) => changeSettings({ density })}
        />
        <Choice
          label="Motion"
          value={settings.motion}
          options={[
            ["system", "System"],
            ["off", "Off"],
          ]}
          onChange={(motion) => changeSettings({ motion })}
        />
        <Choice
          label="Times"
          value={settings.time}
          options={[
            ["relative", "Relative"],
            ["local", "Local"],
            ["utc", "UTC"],
          ]}
          onChange={(time) => changeSettings({ time })}
        />
        <Choice
          label="Rows in live tables"
          value={String(settings.rows) as "50" | "200" | "1000" | "0"}
          options={[
            ["50", "50"],
            ["200", "200"],
            ["1000", "1,000"],
            ["0", "All"],
          ]}
          onChange={(rows) => changeSettings({ rows: Number(rows) as Settings["rows"] })}
        />
      </Section>
      <Attention settings={settings} />
      <Section title="Told elsewhere" note="Set where the server starts.">
        <ToldElsewhere />
      </Section>
      <Server />
    </div>
  );
}

function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <Card title={title} actions={note && <span className="text-text-3 text-xs">{note}</span>} padded={false}>
      <div className="divide-y divide-line">{children}</div>
    </Card>
  );
}

function Attention({ settings }: { settings: Settings }) {
  const [blocked, setBlocked] = useState(false);
  const { notifyOn } = settings;
  const allow = async (notify: boolean) => {
    const granted = !notify || (await Notification.requestPermission()) === "granted";
    setBlocked(!granted);
    changeSettings({ notify: notify && granted });
  };
  return (
    <Section title="Attention" note="Only for runs that you started or opened.">
      <Toggle
        label="Browser notifications"
        note={
          blocked
            ? "Blocked by the browser: allow notifications for this site in its address bar."
            : "Only while no Pilothouse tab is visible, for runs over 30 s."
        }
        checked={settings.notify}
        onChange={allow}
      />
      <Toggle label="Sound" checked={settings.sound} onChange={(sound) => changeSettings({ sound })}>
        <input
          type="range"
          aria-label="Volume"
          min={0.1}
          max={1}
          step={0.1}
          value={settings.volume}
          onChange={(event) => changeSettings({ volume: Number(event.target.value) })}
          className="w-24 accent-primary"
        />
        <Button size="sm" icon={<Play aria-hidden />} onClick={() => playSound(true)}>
          Success
        </Button>
        <Button size="sm" icon={<Play aria-hidden />} onClick={() => playSound(false)}>
          Failure
        </Button>
      </Toggle>
      {(["completed", "failed", "stuck"] as const).map((what) => (
        <Toggle
          key={what}
          label={`When a run ${what === "stuck" ? "looks stuck" : what}`}
          checked={notifyOn[what]}
          onChange={(on) => changeSettings({ notifyOn: { ...notifyOn, [what]: on } })}
        />
      ))}
    </Section>
  );
}

interface Stats {
  version: string;
  browsers: number;
  watchers: number;
  events_per_second: number;
  /** From an event's append until its watchers were written to; null while there was none. */
  delivery_ms: { p50: number | null; p95: number | null };
}

const STATS_MS = 5000;

function Server() {
  const { data } = useQuery({
    queryKey: ["stats"],
    queryFn: ({ signal }) => request<Stats>("/stats", { signal }),
    refetchInterval: STATS_MS,
  });
  const signOut = async () => {
    await request("/sign-out", { method: "POST" });
    location.assign("/login");
  };
  return (
    <Section title="Server">
      <div className="flex flex-wrap items-center gap-3 px-4 py-3 text-sm">
        <span className="grow">
          Pilothouse {data?.version ?? "…"} <span className="text-text-3">at {location.host}</span>
        </span>
        <Button size="sm" icon={<LogOut aria-hidden />} onClick={signOut}>
          Sign out
        </Button>
      </div>
      {data && (
        <dl className="grid grid-cols-2 gap-x-4 gap-y-3 px-4 py-3 text-sm sm:grid-cols-4">
          <Figure label="Open browsers" value={count(data.browsers)} />
          <Figure label="Watchers" value={count(data.watchers)} note="of single runs" />
          <Figure label="News" value={`${figure(data.events_per_second)} /s`} note="in the last minute" />
          <Figure label="Delivered within" {...deliveryWords(data.delivery_ms)} />
        </dl>
      )}
    </Section>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div>
      <dt className="text-text-3 text-xs">{label}</dt>
      <dd className="font-medium tabular-nums">{value}</dd>
      {note && <dd className="text-text-3 text-xs">{note}</dd>}
    </div>
  );
}

function deliveryWords({ p50, p95 }: Stats["delivery_ms"]): { value: string; note: string } {
  if (p50 === null || p95 === null) return { value: "–", note: "no news yet" };
  return { value: `${figure(p50)} ms`, note: `95 %: ${figure(p95)} ms` };
}

const figure = (value: number): string =>
  value < 10 ? String(Math.round(value * 10) / 10) : count(Math.round(value));
