/** Goes to the video before or after the open one, in the order of the list that it was opened from. */
import { ChevronDown, ChevronUp } from "lucide-preact";
import { callAll } from "../api/http";
import { keptList } from "../api/keptList";
import { byName } from "../format";
import { toast, toastError } from "../parts/Toast";
import { go } from "../route";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";

/** Returns the video `by` places after `video`, null if the list ends before it. */
export function neighbourIn(ids: readonly number[], video: number, by: number): number | null {
  const at = ids.indexOf(video);
  return at < 0 ? null : (ids[at + by] ?? null);
}

/** Returns the ids of the list that the video was opened from; without one, of the project's videos by name. */
async function listOf(project: number, video: number): Promise<readonly number[]> {
  const kept = keptList(project);
  if (kept?.ids.includes(video)) return kept.ids;
  const videos = await callAll("/api/projects/{project_id}/videos", { path: { project_id: project } });
  return videos
    .filter(({ state }) => state === "ready")
    .sort((a, b) => byName(a.name, b.name))
    .map(({ id }) => id);
}

async function goToNeighbour({ store }: Studio, by: number): Promise<void> {
  const project = store.video.peek()?.project;
  if (project === undefined) return;
  try {
    const next = neighbourIn(await listOf(project, store.id), store.id, by);
    if (next !== null) go(`/videos/${next}`);
    else toast({ text: `This is the ${by < 0 ? "first" : "last"} video of the list.`, tone: "info" });
  } catch (error) {
    toastError(error);
  }
}

export function neighbourCommands(studio: Studio): CommandSpec[] {
  return [
    {
      id: "video.previous",
      name: "Previous video of the list",
      group: "Jobs",
      icon: ChevronUp,
      keys: ["PageUp"],
      perform: () => void goToNeighbour(studio, -1),
    },
    {
      id: "video.next",
      name: "Next video of the list",
      group: "Jobs",
      icon: ChevronDown,
      keys: ["PageDown"],
      perform: () => void goToNeighbour(studio, 1),
    },
  ];
}
