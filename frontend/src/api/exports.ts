/** Exports of masks: the formats there are, and the exports that were asked for, followed while they are made. */
import { useEffect } from "preact/hooks";
import { call } from "./http";
import { type Loaded, useLoaded } from "./load";
import { may } from "./roles";
import type { Export, ExportFormat, Role } from "./types";

/** The formats that the server can write, in the order in which they are offered. */
export function useExportFormats(): Loaded<ExportFormat[]> {
  return useLoaded("export formats", () => call("GET", "/api/export-formats"));
}

/** The title of an export's format; its name where the server no longer has the format. */
export function formatTitle(format: string, formats: readonly ExportFormat[] | null): string {
  return formats?.find(({ name }) => name === format)?.title ?? format;
}

/** Whether somebody may cancel or remove it: one's own, and managers all. */
export function mayRemove(exported: Export, you: number | undefined, role: Role): boolean {
  return exported.author_id === you ? may(role, "export") : may(role, "remove_export");
}

export function isOpen(exported: Export): boolean {
  return exported.state === "queued" || exported.state === "running";
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
export function makeExport(video: number, format: string, round: number | null): Promise<Export> {
  return call("POST", "/api/videos/{video_id}/exports", {
    path: { video_id: video },
    body: round === null ? { format } : { format, round },
  });
}
