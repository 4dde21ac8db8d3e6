/** Loads something from the server: it is loading, loaded, or refused with a sentence. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { HttpProblem } from "./http";

export interface Loaded<T> {
  /** The newest answer. It stays while it is loaded again. */
  value: T | null;
  problem: HttpProblem | null;
  /** Loads again. Resolves when the server has answered or refused. */
  reload: () => Promise<void>;
  /** Replaces the value by the answer of a write, which also ends an earlier problem; or changes the value that is there. */
  set: (value: T | ((old: T) => T)) => void;
}

export function asProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  return new HttpProblem(-1, "failed", error instanceof Error ? error.message : String(error));
}

/**
 * Calls `ask` whenever `key` changes. Answers for an earlier key are ignored. An answer to what was asked before `set` may
 * lack what was set, so it is dropped, and asked for again: once, so that frequent changes hold up no answer for ever.
 */
export function useLoaded<T>(key: string, ask: () => Promise<T>): Loaded<T> {
  const [at, setAt] = useState<{ key: string; value: T | null; problem: HttpProblem | null }>({
    key,
    value: null,
    problem: null,
  });
  const current = useRef({ key, ask });
  current.current = { key, ask };
  const sets = useRef(0);
  const mine = at.key === key;
  const there = useRef(false);
  there.current = mine && at.value !== null;

  const reload = useCallback(async () => {
    const asked = current.current.key;
    try {
      const before = sets.current;
      let value = await current.current.ask();
      if (current.current.key === asked && sets.current !== before) value = await current.current.ask();
      if (current.current.key === asked) setAt({ key: asked, value, problem: null });
    } catch (error) {
      const problem = asProblem(error);
      if (current.current.key === asked)
        setAt((old) => ({ key: asked, value: old.key === asked ? old.value : null, problem }));
    }
  }, []);

  useEffect(() => {
    reload();
  }, [key, reload]);

  const set = useCallback((value: T | ((old: T) => T)) => {
    if (there.current || typeof value !== "function") sets.current += 1;
    setAt((old) => {
      if (typeof value !== "function") return { ...old, value, problem: null };
      return old.value === null ? old : { ...old, value: (value as (old: T) => T)(old.value) };
    });
  }, []);

  return { value: mine ? at.value : null, problem: mine ? at.problem : null, reload, set };
}
