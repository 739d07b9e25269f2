import { useNavigate } from "@tanstack/react-router";
import { FlaskConical, type LucideIcon, MoonStar, Plus, Search } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Dialog } from "@/components/base/Dialog";
import { Kbd } from "@/components/base/Kbd";
import { STATUS_LOOKS } from "@/components/base/StatusBadge";
import { PLACES } from "@/components/shell/nav";
import { useDemoRun } from "@/components/shell/useDemoRun";
import { cn } from "@/lib/cn";
import { changeSettings, isDark } from "@/lib/settings";
import { useFleet } from "@/live/hooks";

interface Choice {
  id: string;
  group: "Actions" | "Go to" | "Runs";
  label: string;
  note?: ReactNode;
  icon: LucideIcon;
  run: () => void;
}

const MOST_RUNS = 8;

/** Pages, runs and actions, by a few letters. */
export default function CommandMenu({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const choices = useChoices(text);
  const index = Math.min(at, choices.length - 1);

  useEffect(() => {
    list.current?.children[index]?.scrollIntoView({ block: "nearest" });
  }, [index]);

  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    choice.run();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((index + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(choices[index]);
    }
  };

  return (
    <Dialog open onClose={onClose} title={<span className="sr-only">Search</span>} bare>
      <div className="flex items-center gap-3 border-line border-b px-4">
        <Search aria-hidden size={18} className="text-text-3" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls="command-list"
          aria-activedescendant={choices[index] ? `command-${index}` : undefined}
          aria-label="Search pages, runs and actions"
          placeholder="Search pages, runs and actions"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="h-12 min-w-0 grow bg-transparent text-base outline-none placeholder:text-text-3"
        />
      </div>
      <div
        ref={list}
        id="command-list"
        role="listbox"
        aria-label="Results"
        className="max-h-[50dvh] overflow-y-auto p-2"
      >
        {choices.map((choice, position) => (
          <div
            key={choice.id}
            id={`command-${position}`}
            role="option"
            tabIndex={-1}
            aria-selected={position === index}
            onPointerMove={() => setAt(position)}
            onClick={() => choose(choice)}
            onKeyDown={onKeyDown}
            className={cn(
              "flex min-h-9 cursor-pointer items-center gap-3 rounded-md px-3 text-sm max-md:min-h-11",
              position === index && "bg-hover",
            )}
          >
            <choice.icon aria-hidden size={16} className="shrink-0 text-text-3" />
            <span className="truncate">{choice.label}</span>
            <span className="ml-auto shrink-0 text-text-3 text-xs">{choice.note ?? choice.group}</span>
          </div>
        ))}
        {choices.length === 0 && (
          <div className="px-3 py-6 text-center text-sm text-text-3">Nothing is called that.</div>
        )}
      </div>
      <p className="flex gap-4 border-line border-t px-4 py-2 text-text-3 text-xs max-md:hidden">
        <span>
          <Kbd keys="↑ ↓" /> choose
        </span>
        <span>
          <Kbd keys="↵" /> do
        </span>
        <span>
          <Kbd keys="Esc" /> close
        </span>
      </p>
    </Dialog>
  );
}

function useChoices(text: string): Choice[] {
  const { runs } = useFleet();
  const navigate = useNavigate();
  const demo = useDemoRun();
  return useMemo(() => {
    const theme = isDark() ? "light" : "dark";
    const pages: Choice[] = PLACES.map(({ to, label, icon, keys }) => ({
      id: to,
      group: "Go to",
      label,
      icon,
      note: <Kbd keys={keys} />,
      run: () => void navigate({ to }),
    }));
    const actions: Choice[] = [
      {
        id: "new",
        group: "Actions",
        label: "New run",
        icon: Plus,
        note: <Kbd keys="n" />,
        run: () => void navigate({ to: "/runs/new" }),
      },
      ...(demo.start
        ? [
            {
              id: "demo",
              group: "Actions" as const,
              label: "Start a demo run",
              icon: FlaskConical,
              run: demo.start,
            },
          ]
        : []),
      {
        id: "theme",
        group: "Actions",
        label: `Switch to the ${theme} theme`,
        icon: MoonStar,
        run: () => changeSettings({ theme }),
      },
    ];
    const wanted = text.trim().toLowerCase();
    const fits = (words: string) => wanted.split(/\s+/).every((word) => words.toLowerCase().includes(word));
    const found: Choice[] = runs
      .filter((run) => fits(`${run.name} ${run.id} ${run.kind} ${run.status} #${run.number}`))
      .slice(0, MOST_RUNS)
      .map((run) => ({
        id: run.id,
        group: "Runs",
        label: run.name,
        icon: STATUS_LOOKS[run.status].icon,
        note: `${STATUS_LOOKS[run.status].label.toLowerCase()} · ${run.kind}`,
        run: () => void navigate({ to: "/runs/$runId", params: { runId: run.id } }),
      }));
    return [...actions, ...pages].filter(({ label }) => fits(label)).concat(found);
  }, [text, runs, navigate, demo.start]);
}
