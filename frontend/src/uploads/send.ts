/** Sends one file in chunks. The server's `received` is the truth: after anything odd, that is where it goes on. */
import { call, HttpProblem, request, urlOf } from "../api/http";
import type { Upload, Video } from "../api/types";

const SMALLEST = 256 * 1024;
const LARGEST = 8 * 1024 * 1024;
/** A chunk should take about so long: progress moves, and little is lost when the line breaks. */
const CHUNK_SECONDS = 0.8;
/** Waits after a broken connection, in seconds; the last one repeats. */
const WAITS = [1, 2, 4, 8, 15, 30];

export interface Sending {
  file: File;
  project: number;
  /** Known when the upload had begun before. */
  id: string | null;
  signal: AbortSignal;
  /** Told after each chunk. */
  onProgress: (id: string, received: number, bytesPerSecond: number | null) => void;
  /** The connection broke; it is tried again after so many seconds (or sooner, when the browser is online again). */
  onBroken: (text: string, seconds: number) => void;
}

/** How many bytes to send next, from how the last chunk went. */
export function nextChunk(sent: number, seconds: number): number {
  const wanted = (sent / Math.max(seconds, 0.001)) * CHUNK_SECONDS;
  return Math.round(Math.min(LARGEST, Math.max(SMALLEST, Math.min(wanted, sent * 2))));
}

/** A broken line, a proxy without its server, a server that restarts: all of that passes. */
export function passes(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem && [0, 408, 425, 429, 502, 503, 504].includes(error.status);
}

/** Resolves after so many seconds, at once when the browser comes online, and rejects when aborted. */
function wait(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      removeEventListener("online", online);
      signal.removeEventListener("abort", aborted);
      settle();
    };
    const online = () => end(resolve);
    const aborted = () => end(() => reject(signal.reason));
    const timer = setTimeout(online, seconds * 1000);
    addEventListener("online", online);
    signal.addEventListener("abort", aborted);
  });
}

/** Repeats `step` while the connection is broken. */
async function persist<T>(sending: Sending, step: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    sending.signal.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      if (!passes(error)) throw error;
      const seconds = WAITS[Math.min(attempt, WAITS.length - 1)] as number;
      sending.onBroken(error.status === 0 ? "The connection broke." : error.message, seconds);
      await wait(seconds, sending.signal);
    }
  }
}

async function begin(sending: Sending): Promise<Upload> {
  const { id, file, project } = sending;
  if (id) {
    try {
      return await call("GET", "/api/uploads/{upload_id}", { path: { upload_id: id } });
    } catch (error) {
      if (!(error instanceof HttpProblem) || error.status !== 404) throw error;
      // the server has forgotten it: from the start
    }
  }
  return call("POST", "/api/projects/{project_id}/uploads", {
    path: { project_id: project },
    body: { name: file.name, size: file.size },
  });
}

/** A file that is gone looks like a broken line, which would be tried for ever: look whether it can still be read. */
async function checkReadable(body: Blob, name: string): Promise<void> {
  try {
    await body.slice(0, 1).arrayBuffer();
  } catch {
    const text = `${name} cannot be read any more: it was moved or changed, or it is a folder. Give it again.`;
    throw new HttpProblem(-1, "unreadable", text);
  }
}

async function sendChunk(sending: Sending, at: Upload, size: number): Promise<Upload> {
  const body = sending.file.slice(at.received, Math.min(at.received + size, at.size));
  try {
    // The Blob itself, not its bytes: the browser reads and sends it beside the page, which stays quick.
    const response = await request(urlOf("/api/uploads/{upload_id}", { upload_id: at.id }), {
      method: "PATCH",
      body,
      headers: { "Upload-Offset": String(at.received), "Content-Type": "application/octet-stream" },
      signal: sending.signal,
    });
    return (await response.json()) as Upload;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (error.status === 0) await checkReadable(body, sending.file.name);
    const received = error.status === 409 ? error.body.received : undefined;
    if (typeof received !== "number" || received === at.received) throw error;
    return { ...at, received };
  }
}

/** Sends the file and makes the video. Raises HttpProblem when it is refused, AbortError when aborted. */
export async function send(sending: Sending): Promise<Video> {
  let at = await persist(sending, () => begin(sending));
  sending.onProgress(at.id, at.received, null);
  let size = SMALLEST * 4;
  while (at.received < at.size) {
    const started = performance.now();
    const before = at.received;
    at = await persist(sending, () => sendChunk(sending, at, size));
    const seconds = (performance.now() - started) / 1000;
    const sent = at.received - before;
    sending.onProgress(at.id, at.received, sent > 0 ? sent / seconds : null);
    if (sent > 0) size = nextChunk(sent, seconds);
  }
  return persist(sending, () =>
    call("POST", "/api/uploads/{upload_id}/finish", { path: { upload_id: at.id } }),
  );
}
