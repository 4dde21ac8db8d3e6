/** Masks taken out: what kinds there are, and those that were asked for, followed while they are made. */
import { useEffect } from "preact/hooks";
import { call } from "./http";
import { type Loaded, useLoaded } from "./load";
import { may } from "./roles";
import type { Role } from "./types";

export type ExportKind = "davis" | "objects" | "overlay";
export type ExportState = "queued" | "running" | "done" | "cancelled" | "failed";

export interface Export {
  id: number;
  video: number;
  video_name: string;
  kind: ExportKind;
  state: ExportState;
  /** Number of the round whose masks these are; null: of no round. */
  round: number | null;
  progress_done: number;
  progress_total: number;
  error: string;
  size_bytes: number;
  author: string;
  author_id: number;
  created_at: string;
}

export const KINDS: { kind: ExportKind; name: string; note: string }[] = [
  {
    kind: "davis",
    name: "DAVIS",
    note: "A zip with JPEGImages and Annotations: one indexed PNG a frame, all objects in it. Can be brought back in.",
  },
  {
    kind: "objects",
    name: "A PNG for each object",
    note: "A zip with a folder an object: white where it is, black elsewhere.",
  },
  {
    kind: "overlay",
    name: "Overlay video",
    note: "An mp4 (H.264) with the masks in colour over the picture, to show.",
  },
];

/** Whether somebody may cancel or remove it: one's own, and managers all. */
export function mayRemove(one: Export, you: number | undefined, role: Role): boolean {
  return one.author_id === you ? may(role, "export") : may(role, "remove_export");
}

export function kindName(kind: ExportKind): string {
  return KINDS.find((one) => one.kind === kind)?.name ?? kind;
}

export function isOpen(one: Export): boolean {
  return one.state === "queued" || one.state === "running";
}

const BUSY_MS = 500;

/** Those that `path` lists, newest first; asked for again while one of them is being made. */
export function useExports(path: string): Loaded<Export[]> {
  const loaded = useLoaded(path, () => call<Export[]>("GET", path));
  const { reload } = loaded;
  const busy = loaded.value?.some(isOpen) ?? false;
  useEffect(() => {
    if (!busy) return;
    let timer: ReturnType<typeof setTimeout>;
    let ended = false;
    const again = () => {
      timer = setTimeout(async () => {
        await reload();
        if (!ended) again();
      }, BUSY_MS);
    };
    again();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [busy, reload]);
  return loaded;
}

/** Asks for the masks of `round` (its id), of the head when null. */
export function makeExport(video: number, kind: ExportKind, round: number | null): Promise<Export> {
  return call<Export>("POST", `/api/videos/${video}/exports`, round === null ? { kind } : { kind, round });
}
