/** Uploads that had not ended when the page was left. If the same file is added again, its upload is resumed. */

export interface Remembered {
  /** The id of the upload on the server. */
  id: string;
  project: number;
  name: string;
  size: number;
  lastModified: number;
  /** The bytes that the server had received when it last answered. */
  received: number;
}

const KEY = "maskwright.uploads";

export function all(): Remembered[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return []; // Storage is disabled or holds other data: uploads work, but cannot be resumed.
  }
}

function write(uploads: Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(uploads));
  } catch {
    // Storage is full or disabled: uploads work, but cannot be resumed.
  }
}

export function remember(upload: Remembered): void {
  write([...all().filter((other) => other.id !== upload.id), upload]);
}

export function forget(id: string): void {
  write(all().filter((other) => other.id !== id));
}

/** Returns the upload of a file, found by name, size and date, because two takes may have the same name. */
export function matching(project: number, file: File): Remembered | undefined {
  return all().find(
    (upload) =>
      upload.project === project &&
      upload.name === file.name &&
      upload.size === file.size &&
      upload.lastModified === file.lastModified,
  );
}
