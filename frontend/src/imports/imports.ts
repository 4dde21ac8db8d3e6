/** Imports of masks: the file is sent, the server reads it, and it is followed until it ends or asks for labels. */
import { call } from "../api/http";
import type { MaskImport } from "../api/types";
import { sendFile } from "../uploads/send";

export const POLL = { ms: 400 };

export interface Wanted {
  project: number;
  /** The video that the masks are for; null: the server finds videos by their names in the file. */
  video: number | null;
  truth: boolean;
}

/** What becomes of a label of the file: the name of a label of the project, or null for none. */
export type Labels = Record<string, string | null>;

/** Sends the file and starts the import. `onSent` is called with the share that was sent, 0..1. */
export async function startImport(
  wanted: Wanted,
  file: File,
  signal: AbortSignal,
  onSent: (share: number) => void,
): Promise<MaskImport> {
  const upload = await sendFile({
    file,
    project: wanted.project,
    id: null,
    signal,
    onProgress: (_, received) => onSent(received / file.size),
    onBroken: () => {},
  });
  return call("POST", "/api/projects/{project_id}/mask-imports", {
    path: { project_id: wanted.project },
    body: {
      upload: upload.id,
      video: wanted.video,
      ground_truth: wanted.truth,
      other_labels: "ask",
      labels: {},
    },
  });
}

/** Asks for an import again and again until it ends or asks for labels. `onChange` is called with each answer. */
export async function follow(
  started: MaskImport,
  signal: AbortSignal,
  onChange: (now: MaskImport) => void,
): Promise<void> {
  let now = started;
  onChange(now);
  while (isRunning(now)) {
    await new Promise((resolve) => setTimeout(resolve, POLL.ms));
    if (signal.aborted) return;
    now = await call("GET", "/api/mask-imports/{import_id}", { path: { import_id: now.id } });
    if (signal.aborted) return;
    onChange(now);
  }
}

export function isRunning(now: MaskImport): boolean {
  return now.state === "queued" || now.state === "running";
}

export function answerLabels(asking: MaskImport, labels: Labels): Promise<MaskImport> {
  return call("POST", "/api/mask-imports/{import_id}/labels", {
    path: { import_id: asking.id },
    body: { labels, other_labels: "drop" },
  });
}

/** Cancels an import. */
export function cancelImport(now: MaskImport): Promise<undefined> {
  return call("DELETE", "/api/mask-imports/{import_id}", { path: { import_id: now.id } });
}
