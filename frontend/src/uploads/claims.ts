/** Which uploads the windows of this browser are sending, so that no other window offers to resume them. */

const PREFIX = "maskwright.upload.";
const ends = new Map<string, () => void>();

/** Claims an upload for this window. The browser releases the claim when the window is closed. */
export function claim(id: string): void {
  const locks = navigator.locks as LockManager | undefined; // undefined if the page is served over plain http
  if (ends.has(id) || !locks) return;
  const over = new Promise<void>((resolve) => ends.set(id, resolve));
  locks.request(PREFIX + id, () => over);
}

export function release(id: string): void {
  ends.get(id)?.();
  ends.delete(id);
}

/** Returns the ids of uploads that any window is sending, including this one. */
export async function claimed(): Promise<ReadonlySet<string>> {
  const locks = navigator.locks as LockManager | undefined;
  const held = (await locks?.query())?.held ?? [];
  return new Set(held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}
