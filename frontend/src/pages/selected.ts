/** Which rows of a list are selected. With Shift, everything from the row before is. */
import { useMemo, useRef, useState } from "preact/hooks";

export interface Selected {
  ids: ReadonlySet<number>;
  /** Selects a row or takes it out; with `range`, all from the row that was clicked before. */
  toggle: (id: number, range: boolean) => void;
  /** Selects these rows and no other. */
  set: (ids: Iterable<number>) => void;
  clear: () => void;
}

/** Returns what a click selects. `order` are the ids of the rows as they are shown. */
export function afterClick(
  before: ReadonlySet<number>,
  order: readonly number[],
  id: number,
  anchor: number | null,
  range: boolean,
): Set<number> {
  const next = new Set(before);
  const from = anchor === null ? -1 : order.indexOf(anchor);
  if (range && from >= 0) {
    const to = order.indexOf(id);
    for (const between of order.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(between);
  } else if (!next.delete(id)) next.add(id);
  return next;
}

export function useSelected(order: readonly number[]): Selected {
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set());
  const anchor = useRef<number | null>(null);
  const shown = useRef(order);
  shown.current = order;
  // A row that is no longer in the list is not acted on.
  const ids = useMemo(() => {
    const there = new Set(order);
    return new Set([...picked].filter((id) => there.has(id)));
  }, [picked, order]);
  return {
    ids,
    toggle: (id, range) => {
      setPicked(afterClick(ids, shown.current, id, anchor.current, range));
      anchor.current = id;
    },
    set: (wanted) => setPicked(new Set(wanted)),
    clear: () => setPicked(new Set()),
  };
}
