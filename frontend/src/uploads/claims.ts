/** Which uploads a window of this browser is at: another window does not offer to go on with them. */

const PREFIX = "maskwright.upload.";
const ends = new Map<string, () => void>();

/** From now on this window is at the upload; the browser ends that by itself when the window goes. */
export function claim(id: string): void {
  const locks = navigator.locks as LockManager | undefined; // absent where the page came over plain http
  if (ends.has(id) || !locks) return;
  const over = new Promise<void>((resolve) => ends.set(id, resolve));
  locks.request(PREFIX + id, () => over);
}

export function release(id: string): void {
  ends.get(id)?.();
  ends.delete(id);
}

/** Ids of uploads that some window is at, this one included. */
export async function claimed(): Promise<ReadonlySet<string>> {
  const locks = navigator.locks as LockManager | undefined;
  const held = (await locks?.query())?.held ?? [];
  return new Set(held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}
