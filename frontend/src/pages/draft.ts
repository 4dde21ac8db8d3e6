/** A stored value while somebody edits it: what is typed stays, whatever the server says meanwhile. */
import { useCallback, useState } from "preact/hooks";

export interface Draft<T> {
  /** What to show: the edit, or what is stored. */
  value: T;
  dirty: boolean;
  set: (value: T) => void;
  /** Forgets the edit; `sent`: only if nothing was typed since that was sent. */
  done: (sent?: T) => void;
}

export function useDraft<T>(stored: T): Draft<T> {
  const [edit, setEdit] = useState<{ value: T } | null>(null);
  const value = edit ? edit.value : stored;
  const set = useCallback((next: T) => setEdit({ value: next }), []);
  const done = useCallback(
    (sent?: T) => setEdit((now) => (sent === undefined || now?.value === sent ? null : now)),
    [],
  );
  return { value, dirty: edit !== null && JSON.stringify(value) !== JSON.stringify(stored), set, done };
}
