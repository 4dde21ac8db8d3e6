/** Files that the server gets itself: from its import folder, from buckets, or from addresses. */
import { call } from "../api/http";
import type { Fetch, FetchSources, ServerEntry } from "../api/types";

export const FETCH_POLL = { ms: 1000 };

export function loadSources(): Promise<FetchSources> {
  return call("GET", "/api/fetch-sources");
}

/** Returns what lies in a folder; "" is the import folder together with the buckets. */
export function listFiles(project: number, path: string): Promise<ServerEntry[]> {
  return call("GET", "/api/projects/{project_id}/server-files", {
    path: { project_id: project },
    query: { path },
  });
}

export function beginFetch(project: number, source: string): Promise<Fetch> {
  return call("POST", "/api/projects/{project_id}/fetches", {
    path: { project_id: project },
    body: { source, as_video: true },
  });
}

/** Returns the newest fetches of a project that the person may see. */
export function newestFetches(project: number): Promise<Fetch[]> {
  return call("GET", "/api/projects/{project_id}/fetches", {
    path: { project_id: project },
    query: { limit: 30 },
  });
}

export function cancelFetch(fetch: Fetch): Promise<Fetch> {
  return call("POST", "/api/fetches/{fetch_id}/cancel", { path: { fetch_id: fetch.id } });
}

export function isOpen(fetch: Fetch): boolean {
  return fetch.state === "queued" || fetch.state === "running";
}

/** The last part of a path or an address: what a person calls the file. */
export function nameOf(path: string): string {
  return path.replace(/\/$/, "").replace(/^.*\//, "") || path;
}

/** The folder that holds `path`, "" for what lies at the top. A bucket's own folder is at the top, too. */
export function folderAbove(path: string, tops: readonly string[]): string {
  if (tops.includes(path)) return "";
  const inside = path.replace(/\/$/, "");
  const cut = inside.lastIndexOf("/");
  const above = cut < 0 ? "" : inside.slice(0, cut);
  return path.startsWith("s3://") ? `${above}/` : above;
}
