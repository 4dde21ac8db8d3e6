/** The end of a list that grows: calls `onSeen` when it comes near the window, so that the next part is shown. */
import { useEffect, useRef } from "preact/hooks";

const AHEAD = "1200px 0px"; // Two windows below what is seen, so that a person who scrolls meets no gap.

export function More({ onSeen }: { onSeen: () => void }) {
  const mark = useRef<HTMLDivElement>(null);
  const act = useRef(onSeen);
  act.current = onSeen;
  useEffect(() => {
    if (!mark.current) return;
    const watcher = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && act.current(),
      { rootMargin: AHEAD },
    );
    watcher.observe(mark.current);
    return () => watcher.disconnect();
  });
  return <div ref={mark} aria-hidden="true" data-testid="list-more" />;
}
