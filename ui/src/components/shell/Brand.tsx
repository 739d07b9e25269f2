/** The helm. */
export function Helm({ size = 22 }: { size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.5"
      strokeLinecap="round"
    >
      <circle cx="16" cy="16" r="9" />
      <circle cx="16" cy="16" r="2.5" fill="currentColor" stroke="none" />
      <path d="M16 2.5v11M16 18.5v11M2.5 16h11M18.5 16h11M6.5 6.5l3.2 3.2M22.3 22.3l3.2 3.2M25.5 6.5l-3.2 3.2M9.7 22.3l-3.2 3.2" />
    </svg>
  );
}
