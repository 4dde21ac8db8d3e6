/** The logo: a scribble on an object. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M4 17c5-13 7 3 10-5 1.5-4 3-6 6-7"
        stroke="var(--accent)"
        stroke-width="2.6"
        stroke-linecap="round"
      />
      <circle cx="5" cy="18" r="2.6" fill="#2ec4b6" />
    </svg>
  );
}
