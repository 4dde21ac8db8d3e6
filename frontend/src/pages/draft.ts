/** A stored value while somebody edits it: what is typed stays, whatever the server says meanwhile. */
import { useCallback, useLayoutEffect, useState } from "preact/hooks";

export interface Draft<T> {
  /** What to show: the edit, or what is stored. */
  value: T;
  dirty: boolean;
  set: (value: T) => void;
  /** Forgets the edit; `sent`: only if nothing was typed since that was sent. */
  done: (sent?: T) => void;
}

const kept = new Map<string, { value: unknown }>();

/** With `keptAs` an edit outlives its page: whoever has to sign in again meanwhile finds it. */
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

/** What was kept is not wanted any more. */
export function forgetDrafts(): void {
  kept.clear();
}
