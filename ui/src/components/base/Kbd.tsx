/** A key, or two pressed one after the other: `g r`. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-0.5">
      {keys.split(" ").map((key) => (
        <kbd
          key={key}
          className="min-w-5 rounded border border-line-strong bg-surface px-1 text-center font-sans text-2xs text-text-3"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
