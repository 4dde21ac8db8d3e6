/** What each tab of a project's page is given. */
import type { Project } from "../api/types";

export interface TabProps {
  project: Project;
  /** Replaces the project by the one that a write has answered. */
  onChange: (project: Project) => void;
}
