/** The uploads of all projects. They continue while other pages are shown. */
import { signal } from "@preact/signals";
import { call } from "../api/http";
import { asProblem } from "../api/load";
import type { Video } from "../api/types";
import { claim, claimed, release } from "./claims";
import { all, forget, matching, type Remembered, remember } from "./remembered";
import { send } from "./send";

export type JobState =
  | "waiting" // waiting for its turn
  | "sending"
  | "broken" // the connection is lost; it tries again by itself
  | "paused" // paused by the person
  | "missing" // started before a reload: the person has to pick the file again
  | "refused";

export interface Job {
  /** Identifies the upload within this page. */
  key: number;
  project: number;
  name: string;
  size: number;
  file: File | null;
  id: string | null;
  received: number;
  bytesPerSecond: number | null;
  state: JobState;
  /** The sentence to show if it is broken or refused. */
  text: string;
}

/** The number of uploads at a time. More would only share the same connection. */
const AT_ONCE = 2;
/** The weight of the newest chunk in the running mean of the speed. */
const SMOOTHING = 0.3;

export const jobs = signal<readonly Job[]>([]);

let newest = 0;
const stops = new Map<number, AbortController>();
const listeners = new Set<(project: number, video: Video) => void>();

/** Calls a function with each new video. Returns a function that stops it. */
export function onArrived(listener: (project: number, video: Video) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(key: number, change: Partial<Job>): void {
  jobs.value = jobs.value.map((job) => (job.key === key ? { ...job, ...change } : job));
}

function find(key: number): Job | undefined {
  return jobs.value.find((job) => job.key === key);
}

function add(job: Omit<Job, "key" | "bytesPerSecond" | "text">): void {
  newest += 1;
  jobs.value = [...jobs.value, { ...job, key: newest, bytesPerSecond: null, text: "" }];
}

/** Adds files. A file that was sent in part before is resumed; a file that is being sent is not added again. */
export function enqueue(project: number, files: Iterable<File>): void {
  for (const file of files) {
    const known = jobs.value.find(
      (job) =>
        job.project === project &&
        job.name === file.name &&
        job.size === file.size &&
        job.state !== "refused",
    );
    if (known?.state === "missing" || known?.state === "paused") {
      change(known.key, { file, state: "waiting", text: "" });
    } else if (!known) {
      const before = matching(project, file);
      const { name, size } = file;
      const id = before?.id ?? null;
      add({ project, name, size, file, id, received: before?.received ?? 0, state: "waiting" });
    }
  }
  pump();
}

/** Lists the uploads that were not finished when the page was left. */
export async function recall(project: number): Promise<void> {
  const known = new Set<string | null>([...jobs.value.map((job) => job.id), ...(await claimed())]);
  for (const upload of all().filter((upload) => upload.project === project && !known.has(upload.id)))
    await recallOne(upload);
}

async function recallOne(upload: Remembered): Promise<void> {
  try {
    const { received } = await call("GET", "/api/uploads/{upload_id}", { path: { upload_id: upload.id } });
    if (jobs.value.some((job) => job.id === upload.id)) return; // The file was added meanwhile.
    if (received === upload.size) return finish(upload);
    const { id, project, name, size } = upload;
    add({ id, project, name, size, file: null, received, state: "missing" });
  } catch (error) {
    // The upload has ended or was deleted. If the server cannot be reached, the entry is kept for the next time.
    if (asProblem(error).status === 404) forget(upload.id);
  }
}

/** Finishes an upload whose bytes had all arrived when the page was left. The file is no longer needed. */
async function finish(upload: Remembered): Promise<void> {
  const video = await call("POST", "/api/uploads/{upload_id}/finish", { path: { upload_id: upload.id } });
  forget(upload.id);
  for (const listener of listeners) listener(upload.project, video);
}

export function pause(key: number): void {
  const job = find(key);
  if (!job || !["waiting", "sending", "broken"].includes(job.state)) return;
  change(key, { state: "paused", bytesPerSecond: null, text: "" });
  stops.get(key)?.abort();
  pump();
}

export function resume(key: number): void {
  const job = find(key);
  if (job?.file && ["paused", "broken", "refused"].includes(job.state)) {
    stops.get(key)?.abort();
    change(key, { state: "waiting", text: "" });
    pump();
  }
}

/** Stops an upload and deletes it, here and on the server. */
export async function cancel(key: number): Promise<void> {
  const job = find(key);
  if (!job) return;
  jobs.value = jobs.value.filter((other) => other.key !== key);
  stops.get(key)?.abort();
  pump();
  if (!job.id) return;
  release(job.id);
  forget(job.id);
  try {
    await call("DELETE", "/api/uploads/{upload_id}", { path: { upload_id: job.id } });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 404 && problem.status !== 0) throw problem; // The server deletes old uploads by itself.
  }
}

function pump(): void {
  const busy = jobs.value.filter((job) => job.state === "sending" || job.state === "broken").length;
  const next = jobs.value.filter((job) => job.state === "waiting" && job.file);
  for (const job of next.slice(0, Math.max(0, AT_ONCE - busy))) run(job);
}

async function run(job: Job): Promise<void> {
  const { key, file, project } = job;
  if (!file) return;
  const stop = new AbortController();
  stops.set(key, stop);
  change(key, { state: "sending", text: "" });
  const mine = () => stops.get(key) === stop && !stop.signal.aborted;
  try {
    const video = await send({
      file,
      project,
      id: job.id,
      signal: stop.signal,
      onProgress: (id, received, speed) => {
        const { name, size, lastModified } = file;
        if (!mine()) return;
        claim(id);
        remember({ id, project, name, size, lastModified, received });
        const old = find(key)?.bytesPerSecond;
        const smooth = old && speed ? old + SMOOTHING * (speed - old) : (speed ?? old ?? null);
        change(key, { id, received, bytesPerSecond: smooth, state: "sending", text: "" });
      },
      onBroken: (text) => mine() && change(key, { state: "broken", text, bytesPerSecond: null }),
    });
    arrived(key, project, video);
  } catch (error) {
    if (!stop.signal.aborted) refused(key, asProblem(error).message);
  } finally {
    if (stops.get(key) === stop) stops.delete(key);
    pump();
  }
}

function arrived(key: number, project: number, video: Video): void {
  const id = find(key)?.id;
  if (id) {
    release(id);
    forget(id);
  }
  jobs.value = jobs.value.filter((job) => job.key !== key);
  for (const listener of listeners) listener(project, video);
}

/** The server refused: nothing can be resumed, so a new try starts from the beginning. */
function refused(key: number, text: string): void {
  const id = find(key)?.id;
  if (id) {
    release(id);
    forget(id);
  }
  change(key, { state: "refused", text, id: null, received: 0, bytesPerSecond: null });
}

// Leaving the page stops uploads. The bytes that have arrived stay, but the person has to pick the file again.
addEventListener("beforeunload", (event) => {
  if (jobs.value.some((job) => job.state === "sending" || job.state === "waiting")) event.preventDefault();
});
