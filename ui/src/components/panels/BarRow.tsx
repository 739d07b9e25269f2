interface BarRowProps {
  name: string;
  /** Length of the bar, from 0 to 1. */
  share: number;
  text: string;
}

/** A name, a bar and a number; one line of a list. */
export function BarRow({ name, share, text }: BarRowProps) {
  return (
    <li className="grid grid-cols-[minmax(0,2fr)_minmax(4rem,3fr)_3.5rem] items-center gap-3 py-1 text-sm">
      <span className="truncate" title={name}>
        {name}
      </span>
      <span aria-hidden className="h-2 overflow-hidden rounded-full bg-track">
        <span
          className="block h-full rounded-full bg-running"
          style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }}
        />
      </span>
      <span className="text-right">{text}</span>
    </li>
  );
}
