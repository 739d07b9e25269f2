import { Table2 } from "lucide-react";
import { createContext, type ReactNode, useContext } from "react";
import { Card } from "@/components/base/Card";
import { cn } from "@/lib/cn";

export interface PanelFrameProps {
  title: string;
  /** One quiet line beside the title, such as how to read the panel. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** The card around every panel: title on the left, its few actions on the right. */
export function PanelFrame({ title, note, actions, children, className }: PanelFrameProps) {
  return (
    <Card
      aria-label={title}
      title={
        <>
          {title}
          {note && <span className="ml-3 font-normal text-text-3 text-xs max-sm:hidden">{note}</span>}
        </>
      }
      actions={actions && <div className="flex items-center gap-1">{actions}</div>}
      {...(className ? { className } : {})}
    >
      {children}
    </Card>
  );
}

/** Whether the run is over, so that nothing more will come. */
export const RunEnded = createContext(false);

/** What a panel shows before it has anything to show: when that will be, or that it never will. */
export function PanelEmpty({ children }: { children: ReactNode }) {
  const isEnded = useContext(RunEnded);
  return (
    <p className="grid min-h-20 place-items-center rounded-md bg-surface px-4 text-center text-sm text-text-3">
      {isEnded ? "This run recorded nothing here" : children}
    </p>
  );
}

export interface PanelActionProps {
  onClick: () => void;
  label: string;
  pressed?: boolean;
  children: ReactNode;
}

/** A small quiet button in a panel's heading. */
export function PanelAction({ onClick, label, pressed, children }: PanelActionProps) {
  return (
    <button
      type="button"
      onClick={onClick}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      className={cn(
        "inline-flex h-7 items-center gap-1.5 rounded-md px-2 text-text-2 text-xs hover:bg-hover max-md:h-11 max-md:px-3",
        pressed && "bg-hover text-text",
      )}
    >
      {children}
    </button>
  );
}

/** Shows a chart's numbers as a table, for those who cannot see or point at the chart. */
export function TableToggle({
  isTable,
  onChange,
}: {
  isTable: boolean;
  onChange: (isTable: boolean) => void;
}) {
  return (
    <PanelAction
      label={isTable ? "Show as chart" : "Show as table"}
      pressed={isTable}
      onClick={() => onChange(!isTable)}
    >
      <Table2 aria-hidden size={14} />
    </PanelAction>
  );
}
