/** What /api answers about people, projects and videos. The words are those of docs/contracts.md. */

export type Role = "viewer" | "annotator" | "reviewer" | "manager" | "owner";

export interface Me {
  id: number;
  username: string;
  name: string;
  is_superuser: boolean;
  has_password: boolean;
}

export interface Label {
  id?: number;
  name: string;
  color: string;
}

export interface Project {
  id: number;
  name: string;
  guide: string;
  engine: string;
  labels: Label[];
  role: Role;
  videos: number;
  members: number;
  /** A video whose picture stands for the project. */
  cover: number | null;
  last_added_at: string | null;
  created_at: string;
}

export interface Person {
  id: number;
  username: string;
  name: string;
}

export interface Member {
  user: Person;
  role: Role;
}

export type VideoState = "importing" | "ready" | "failed" | "cancelled";

export interface Video {
  id: number;
  name: string;
  state: VideoState;
  /** A sentence, when the import failed. */
  error: string;
  /** What one should know of a video that is ready: damaged places left out, say. */
  note: string;
  width: number;
  height: number;
  frame_count: number;
  fps: number;
  size_bytes: number;
  progress_done: number;
  /** 0: nobody knows. */
  progress_total: number;
  created_at: string;
  rounds: number;
  last_worked_by: string | null;
  last_worked_at: string | null;
  has_truth: boolean;
  /** A round is queued or running. */
  running: boolean;
}

export interface Upload {
  id: string;
  received: number;
  size: number;
}
