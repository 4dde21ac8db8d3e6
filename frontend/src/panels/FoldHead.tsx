/** The heading of a section of the right panel, which folds the section away. It stays so on this device. */
import { ChevronDown, ChevronRight } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { setView } from "../actions/objects";
import { useStudio } from "../studio/context";
import side from "./SidePanel.module.css";

export interface FoldHeadProps {
  /** Identifies the section: "picture". */
  name: string;
  title: string;
  /** Shown at the right of the heading. */
  children?: ComponentChildren;
}

/** Whether the section `name` is folded away. */
export function useFolded(name: string): boolean {
  return useStudio().store.view.value.folded.includes(name);
}

export function FoldHead({ name, title, children }: FoldHeadProps) {
  const studio = useStudio();
  const folded = useFolded(name);
  const Icon = folded ? ChevronRight : ChevronDown;
  const flip = () =>
    setView(studio, (view) => ({
      folded: folded ? view.folded.filter((other) => other !== name) : [...view.folded, name],
    }));
  return (
    <div class={side.head}>
      <h2>
        <button
          type="button"
          class={side.fold}
          aria-expanded={!folded}
          data-testid={`${name}-fold`}
          onClick={flip}
        >
          {title}
          <Icon size={13} aria-hidden="true" />
        </button>
      </h2>
      {children}
    </div>
  );
}
