/** Exports of masks: the formats there are, and the exports that were asked for, followed while they are made. */
import { useEffect } from "preact/hooks";
import { call, callAll } from "./http";
import { type Loaded, useLoaded } from "./load";
import { may } from "./roles";
import type { Export, ExportFormat, ExportOptions, ProjectExportOptions, Role } from "./types";

/** Loads the formats that the server can write, in the order in which they are offered. */
export function useExportFormats(): Loaded<ExportFormat[]> {
  return useLoaded("export formats", () => call("GET", "/api/export-formats"));
}

/** Returns the title of a format, or its name if the server no longer has the format. */
export function formatTitle(format: string, formats: readonly ExportFormat[] | null): string {
  return formats?.find(({ name }) => name === format)?.title ?? format;
}

/** Whether a person may cancel or remove an export: their own from annotator, any from manager upward. */
export function mayRemove(exported: Export, you: number | undefined, role: Role): boolean {
  return exported.author_id === you ? may(role, "export") : may(role, "remove_export");
}

export function isOpen(exported: Export): boolean {
  return exported.state === "queued" || exported.state === "running";
}

const BUSY_MS = 500;

/** Loads the exports of one video, newest first. */
export function useVideoExports(video: number): Loaded<Export[]> {
  return useExports(`exports of video ${video}`, () =>
    callAll("/api/videos/{video_id}/exports", { path: { video_id: video } }),
  );
}

/** Loads the exports of a project and of its videos, as far as the person may see them, newest first. */
export function useProjectExports(project: number): Loaded<Export[]> {
  return useExports(`exports of project ${project}`, () =>
    callAll("/api/projects/{project_id}/exports", { path: { project_id: project } }),
  );
}

/** Loads exports, and loads them again while one of them is being made. */
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

/** Starts an export of the round with the id `round`, or of the head if it is null. */
export function makeExport(
  video: number,
  format: string,
  round: number | null,
  options: ExportOptions = {},
): Promise<Export> {
  return call("POST", "/api/videos/{video_id}/exports", {
    path: { video_id: video },
    body: round === null ? { format, options } : { format, round, options },
  });
}

/** Starts an export of the frames of a job, at the round with the id `round`, or at the head if it is null. */
export function makeJobExport(
  job: number,
  format: string,
  round: number | null,
  options: ExportOptions = {},
): Promise<Export> {
  return call("POST", "/api/jobs/{job_id}/exports", {
    path: { job_id: job },
    body: round === null ? { format, options } : { format, round, options },
  });
}

/** Starts an export of the videos of a project that have masks: of all, or of those with the given ids. */
export function makeProjectExport(
  project: number,
  format: string,
  options: Partial<ProjectExportOptions> = {},
  videos?: number[],
): Promise<Export> {
  return call("POST", "/api/projects/{project_id}/exports", {
    path: { project_id: project },
    body: videos ? { format, options, videos } : { format, options },
  });
}
