export interface PanelOption {
  readonly value: string;
  readonly label: string;
}

interface PanelSelectProps {
  label: string;
  value: string;
  options: readonly PanelOption[];
  onChange: (value: string) => void;
}

/** A small choice in a panel's heading. */
export function PanelSelect({ label, value, options, onChange }: PanelSelectProps) {
  return (
    <select
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="h-7 min-w-0 max-w-40 truncate rounded-md border border-line-strong bg-card px-1.5 text-xs max-md:h-11"
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
