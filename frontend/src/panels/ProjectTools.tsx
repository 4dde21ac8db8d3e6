/** What the project offers annotators: its guide, and its labels, from which they create objects. */
import { BookOpen, ChevronDown, Tag } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { addObject } from "../actions/objects";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { Dialog } from "../parts/Dialog";
import { IconButton } from "../parts/IconButton";
import { Menu } from "../parts/Menu";
import { useStudio } from "../studio/context";
import css from "./ProjectTools.module.css";

export function ProjectTools() {
  const studio = useStudio();
  const id = studio.store.video.value?.project;
  const { value: project } = useLoaded(`project ${id}`, async () =>
    id === undefined ? null : call("GET", "/api/projects/{project_id}", { path: { project_id: id } }),
  );
  const [reading, setReading] = useState(false);
  useEffect(() => {
    studio.store.labels.value = project?.labels ?? [];
  }, [studio, project]);
  if (!project) return null; // The studio works without the project, while it loads or if it cannot be loaded.
  const { guide, labels } = project;
  return (
    <>
      {labels.length > 0 && studio.store.canDraw.value && (
        <Menu
          label="New object of a label"
          testid="object-of-label"
          class={css.labels ?? ""}
          align="end"
          items={labels.map((label) => ({
            name: label.name,
            testid: `object-of-label-${label.id}`,
            icon: Tag,
            perform: () => addObject(studio, label),
          }))}
        >
          <ChevronDown size={14} aria-hidden="true" />
        </Menu>
      )}
      {guide.trim() && (
        <IconButton
          icon={BookOpen}
          label="Guide"
          testid="guide-open"
          size="small"
          onClick={() => setReading(true)}
        />
      )}
      {reading && (
        <Dialog title={`Guide of ${project.name}`} testid="guide-dialog" onClose={() => setReading(false)}>
          <p class={css.guide}>{guide}</p>
        </Dialog>
      )}
    </>
  );
}
