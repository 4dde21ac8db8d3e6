/** Masks taken out: what kinds there are, and those that were asked for, followed while they are made. */
import { useEffect } from "preact/hooks";
import { call } from "./http";
import { type Loaded, useLoaded } from "./load";
import { may } from "./roles";
import type { Export, ExportKind, Role } from "./types";

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

/** The exports of one video, newest first. */
export function useVideoExports(video: number): Loaded<Export[]> {
  return useExports(`exports of video ${video}`, () =>
    call("GET", "/api/videos/{video_id}/exports", { path: { video_id: video } }),
  );
}

/** The exports of all videos of a project, newest first. */
export function useProjectExports(project: number): Loaded<Export[]> {
  return useExports(`exports of project ${project}`, () =>
    call("GET", "/api/projects/{project_id}/exports", { path: { project_id: project } }),
  );
}

/** Asks again while one of the exports is being made. */
function useExports(key: string, ask: () => Promise<Export[]>): Loaded<Export[]> {
  const loaded = useLoaded(key, ask);
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
  return call("POST", "/api/videos/{video_id}/exports", {
    path: { video_id: video },
    body: round === null ? { kind } : { kind, round },
  });
}
