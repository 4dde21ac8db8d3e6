/** Sends a file in chunks. After any problem it continues at the number of bytes that the server has received. */
import { call, HttpProblem, request, urlOf } from "../api/http";
import type { Upload, Video } from "../api/types";

const SMALLEST = 256 * 1024;
const LARGEST = 8 * 1024 * 1024;
/** The wanted duration of a chunk: progress keeps moving, and little is lost if the connection breaks. */
const CHUNK_SECONDS = 0.8;
/** The waits after a broken connection, in seconds. The last one repeats. */
const WAITS = [1, 2, 4, 8, 15, 30];

export interface Sending {
  file: File;
  project: number;
  /** The id of the upload on the server, null for a new upload. */
  id: string | null;
  signal: AbortSignal;
  /** Called after each chunk. */
  onProgress: (id: string, received: number, bytesPerSecond: number | null) => void;
  /** Called if the connection broke. It tries again after `seconds`, or as soon as the browser is online again. */
  onBroken: (text: string, seconds: number) => void;
}

/** Returns the size of the next chunk, given the size and the duration of the last one. */
export function nextChunk(sent: number, seconds: number): number {
  const wanted = (sent / Math.max(seconds, 0.001)) * CHUNK_SECONDS;
  return Math.round(Math.min(LARGEST, Math.max(SMALLEST, Math.min(wanted, sent * 2))));
}

/** Whether a problem may pass by itself: a broken connection, a proxy without its server, a restarting server. */
export function passes(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem && [0, 408, 425, 429, 502, 503, 504].includes(error.status);
}

/** Resolves after `seconds`, or at once when the browser comes online. Rejects when aborted. */
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

/** Repeats `step` until it succeeds or fails for a reason that does not pass. */
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
      // The server no longer has the upload, so it starts again.
    }
  }
  return call("POST", "/api/projects/{project_id}/uploads", {
    path: { project_id: project },
    body: { name: file.name, size: file.size },
  });
}

/** Throws if the file can no longer be read. That looks like a broken connection, and would be tried again forever. */
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
    // The body is the Blob and not its bytes, so that the browser reads it outside of the main thread.
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

/** Sends the file and creates the video. Throws HttpProblem if it is refused, AbortError if aborted. */
export async function send(sending: Sending): Promise<Video> {
  const { id } = await sendFile(sending);
  return persist(sending, () => call("POST", "/api/uploads/{upload_id}/finish", { path: { upload_id: id } }));
}

/** Sends the file, which stays an upload. Throws as `send` does. */
export async function sendFile(sending: Sending): Promise<Upload> {
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
  return at;
}
