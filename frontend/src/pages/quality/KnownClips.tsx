/** Videos with ground truth. Managers put copies of them into the queues of people, as any other video. */
import { Target } from "lucide-preact";
import { useState } from "preact/hooks";
import { call } from "../../api/http";
import { asProblem, useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import type { Card, Member, Project } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { EmptyState } from "../../parts/EmptyState";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { toastError } from "../../parts/Toast";
import { ProblemState } from "../ProblemState";
import { MixIn } from "./MixIn";

interface KnownPart {
  cards: Card[];
  next: string | null;
}

/** Loads a part of the videos with ground truth. */
function loadKnown(project_id: number, after: string | null): Promise<KnownPart> {
  const query = { truth: true, order: "name" as const, ...(after ? { after } : {}) };
  return call("GET", "/api/projects/{project_id}/cards", { path: { project_id }, query });
}

/** Returns the list with the part behind it, unless a part was added or the list was loaded again meanwhile. */
function withPart(list: KnownPart, part: KnownPart, after: string | null): KnownPart {
  if (list.next !== after) return list;
  const there = new Set(list.cards.map(({ id }) => id));
  return { cards: [...list.cards, ...part.cards.filter(({ id }) => !there.has(id))], next: part.next };
}

export function KnownClips({ project, members }: { project: Project; members: readonly Member[] }) {
  const [mixing, setMixing] = useState<Card | null>(null);
  const [busy, setBusy] = useState(false);
  const loaded = useLoaded(`known clips ${project.id}`, () => loadKnown(project.id, null));
  if (!loaded.value)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  const { cards, next } = loaded.value;
  const more = async () => {
    setBusy(true);
    try {
      const part = await loadKnown(project.id, next);
      loaded.set((old) => withPart(old, part, next));
    } catch (error) {
      toastError(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  if (!cards.length)
    return (
      <EmptyState icon={Target} title="No video has ground truth" testid="known-none">
        Import masks as ground truth, for a whole video or for some of its frames. Annotators do not see them.
      </EmptyState>
    );
  return (
    <>
      <FramedList testid="known-clips">
        {cards.map((video) => (
          <li key={video.id}>
            <RowText note={plural(video.frame_count, "frame")}>
              <a href={`/videos/${video.id}`}>{video.name}</a>
            </RowText>
            {may(project.role, "manage_jobs") && (
              <Button size="small" testid={`mix-in-${video.id}`} onClick={() => setMixing(video)}>
                Mix into queues…
              </Button>
            )}
          </li>
        ))}
      </FramedList>
      {next !== null && (
        <div>
          <Button size="small" testid="known-clips-more" busy={busy} onClick={more}>
            Show more
          </Button>
        </div>
      )}
      {mixing && <MixIn video={mixing} members={members} onClose={() => setMixing(null)} />}
    </>
  );
}
