/** A stored value while it is edited. What is typed stays, even if the stored value changes meanwhile. */
import { useCallback, useLayoutEffect, useState } from "preact/hooks";

export interface Draft<T> {
  /** The value to show: the edited one, else the stored one. */
  value: T;
  dirty: boolean;
  set: (value: T) => void;
  /** Forgets the edit. If `sent` is given, only if nothing was typed since it was sent. */
  done: (sent?: T) => void;
}

const kept = new Map<string, { value: unknown }>();

/** With `keptAs` an edit survives its page, so that it is there again after a sign-in. */
export function useDraft<T>(stored: T, keptAs?: string): Draft<T> {
  const [edit, setEdit] = useState<{ value: T } | null>(
    () => (kept.get(keptAs ?? "") as { value: T } | undefined) ?? null,
  );
  useLayoutEffect(() => {
    if (keptAs === undefined) return;
    if (edit) kept.set(keptAs, edit);
    else kept.delete(keptAs);
  }, [edit, keptAs]);
  const value = edit ? edit.value : stored;
  const set = useCallback((next: T) => setEdit({ value: next }), []);
  const done = useCallback(
    (sent?: T) => setEdit((now) => (sent === undefined || now?.value === sent ? null : now)),
    [],
  );
  return { value, dirty: edit !== null && JSON.stringify(value) !== JSON.stringify(stored), set, done };
}

/** Forgets all edits that were kept. */
export function forgetDrafts(): void {
  kept.clear();
}
