/** How good the work of a project is: what is asked of submissions, J&F of jobs, known clips, and review by sample. */
import { Lock, Target } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call, callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import type { Card, Member, Project } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { EmptyState } from "../../parts/EmptyState";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { toastError } from "../../parts/Toast";
import { ProblemState } from "../ProblemState";
import type { TabProps } from "../tab";
import { Jobs } from "./Jobs";
import { MixIn } from "./MixIn";
import css from "./QualityTab.module.css";
import { Sample } from "./Sample";
import { Thresholds } from "./Thresholds";

export function QualityTab({ project }: TabProps) {
  const members = useLoaded(`members ${project.id}`, () =>
    callAll("/api/projects/{project_id}/members", { path: { project_id: project.id } }),
  );
  const [draws, setDraws] = useState(0);
  if (!may(project.role, "see_quality"))
    return (
      <EmptyState icon={Lock} title="Not for your role" testid="state-forbidden">
        How good the work is is for reviewers and managers; in this project you are {project.role}.
      </EmptyState>
    );
  const people = members.value ?? [];
  return (
    <div class={css.page}>
      <div class={css.side}>
        <Section title="What is asked of submissions">
          <Thresholds project={project} />
        </Section>
        {may(project.role, "manage_jobs") && (
          <Section title="Review by sample">
            <Sample project={project} members={people} onDrawn={() => setDraws((count) => count + 1)} />
          </Section>
        )}
      </div>
      <div class={css.main}>
        <Section title="Jobs">
          <Jobs project={project} members={people} draws={draws} />
        </Section>
        <Section title="Known clips">
          <KnownClips project={project} members={people} />
        </Section>
      </div>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class={css.section}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface KnownPart {
  cards: Card[];
  next: string | null;
}

/** Loads a part of the videos with ground truth. */
function loadKnown(project_id: number, after: string | null): Promise<KnownPart> {
  const query = { truth: true, order: "name" as const, ...(after ? { after } : {}) };
  return call("GET", "/api/projects/{project_id}/cards", { path: { project_id }, query });
}

/** Videos with ground truth. Managers put copies of them into the queues of people, as any other video. */
function KnownClips({ project, members }: { project: Project; members: readonly Member[] }) {
  const [mixing, setMixing] = useState<Card | null>(null);
  const loaded = useLoaded(`known clips ${project.id}`, () => loadKnown(project.id, null));
  if (!loaded.value)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  const { cards, next } = loaded.value;
  const more = async () => {
    try {
      const part = await loadKnown(project.id, next);
      loaded.set((old) => ({ cards: [...old.cards, ...part.cards], next: part.next }));
    } catch (error) {
      toastError(error);
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
          <Button size="small" testid="known-clips-more" onClick={more}>
            Show more
          </Button>
        </div>
      )}
      {mixing && <MixIn video={mixing} members={members} onClose={() => setMixing(null)} />}
    </>
  );
}
