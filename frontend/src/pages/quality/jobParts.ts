/** The jobs of a project in the order of their quality, in parts. What people submit meanwhile appears by itself. */
import { useEffect, useRef, useState } from "preact/hooks";
import { call, type HttpProblem } from "../../api/http";
import { asProblem, useLoaded } from "../../api/load";
import type { Job } from "../../api/types";
import { followProject } from "../../connection/projectSocket";
import { toastError } from "../../parts/Toast";

/** The number of jobs that are loaded first, and with each further request. */
const FIRST = 12;
const MORE = 100;
const MOST = 500; // One request answers at most as many.

/**
 * When the list is loaded again after the project's socket has told of a change, in milliseconds. The J&F of a submission
 * comes some seconds after it, and the socket does not tell of that, because annotators are not to know of ground truth.
 */
const AGAIN_MS = [0, 2000, 6000, 15_000];

export interface JobPart {
  jobs: Job[];
  /** After which job the next part begins; null: there is none. */
  next: number | null;
}

export interface QualityJobs {
  value: JobPart | null;
  problem: HttpProblem | null;
  reload: () => Promise<void>;
  /** Adds the next part. */
  more: () => Promise<void>;
  /** The next part is on its way. */
  busy: boolean;
}

/** Loads jobs in the order of their quality: flagged, then from the worst J&F, then those without one. */
function loadPart(project: number, limit: number, after: number | null = null): Promise<JobPart> {
  const query = { project, order: "quality" as const, limit, ...(after === null ? {} : { after }) };
  return call("GET", "/api/jobs", { query });
}

/** Loads the first `least` jobs, or all if there are fewer. */
async function load(project: number, least: number): Promise<JobPart> {
  const list: JobPart = { jobs: [], next: null };
  for (let left = least; left > 0; left -= MOST) {
    const part = await loadPart(project, Math.min(MOST, left), list.next);
    list.jobs.push(...part.jobs);
    list.next = part.next;
    if (list.next === null) break;
  }
  return list;
}

/** Returns the list with the part behind it. If the list was loaded again meanwhile, the part may not fit, so it is left out. */
export function withPart(list: JobPart, part: JobPart, after: number | null): JobPart {
  if (list.next !== after) return list;
  const there = new Set(list.jobs.map(({ id }) => id));
  return { jobs: [...list.jobs, ...part.jobs.filter(({ id }) => !there.has(id))], next: part.next };
}

export function useJobs(project: number): QualityJobs {
  const count = useRef(FIRST); // As many as are shown are loaded again.
  const loaded = useLoaded(`jobs of project ${project}`, () => load(project, count.current));
  const [busy, setBusy] = useState(false);
  count.current = Math.max(FIRST, loaded.value?.jobs.length ?? 0);
  useChanges(project, loaded.reload);
  const more = async () => {
    const after = loaded.value?.next ?? null;
    if (busy || after === null) return;
    setBusy(true);
    try {
      const part = await loadPart(project, MORE, after);
      loaded.set((old) => withPart(old, part, after));
    } catch (error) {
      toastError(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return { value: loaded.value, problem: loaded.problem, reload: loaded.reload, more, busy };
}

/**
 * Calls `reload` when the project's socket tells of a change, and a few times after it: about once a second at most, and
 * while the page is hidden only when it is seen again.
 */
function useChanges(project: number, reload: () => Promise<void>): void {
  useEffect(() => {
    const timers = new Map<number, ReturnType<typeof setTimeout>>(); // By the second in which they end.
    let missed = false;
    const load = () => {
      missed = document.hidden;
      if (!missed) reload();
    };
    const loadIn = (ms: number) => {
      const second = Math.floor((Date.now() + ms) / 1000);
      if (timers.has(second)) return;
      const end = () => {
        timers.delete(second);
        load();
      };
      timers.set(second, setTimeout(end, ms));
    };
    const seen = () => {
      if (missed) load();
    };
    let begun = false;
    const stop = followProject(project, {
      live: () => {},
      changed: ({ all, changed }) => {
        // The first message tells nothing, but the list may have changed before it. Without `changed`, imports have
        // gone on, which have no jobs yet.
        if (!begun) loadIn(0);
        else if (all || changed.length) AGAIN_MS.forEach(loadIn);
        begun = true;
      },
    });
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", seen);
      for (const timer of timers.values()) clearTimeout(timer);
    };
  }, [project, reload]);
}
