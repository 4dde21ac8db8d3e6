/** Uploads that had not ended when the page was left: the same file, dropped again, goes on where it stopped. */

export interface Remembered {
  /** Id of the upload on the server. */
  id: string;
  project: number;
  name: string;
  size: number;
  lastModified: number;
  /** Bytes that the server had when it was last asked. */
  received: number;
}

const KEY = "maskwright.uploads";

export function all(): Remembered[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return []; // a private window, or somebody else's text: uploads work, only resuming does not
  }
}

function write(uploads: Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(uploads));
  } catch {
    // no room or no storage: see `all`
  }
}

export function remember(upload: Remembered): void {
  write([...all().filter((other) => other.id !== upload.id), upload]);
}

export function forget(id: string): void {
  write(all().filter((other) => other.id !== id));
}

/** The upload that this file belongs to. Name, size and date together: two takes may share a name. */
export function matching(project: number, file: File): Remembered | undefined {
  return all().find(
    (upload) =>
      upload.project === project &&
      upload.name === file.name &&
      upload.size === file.size &&
      upload.lastModified === file.lastModified,
  );
}
