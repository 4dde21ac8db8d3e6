/** For tests: sample answers of the server. */
import type { Card, CardJob, Job, Me, Project, Video } from "./types";

export const ME: Me = {
  id: 1,
  username: "ada",
  name: "Ada",
  first_name: "",
  last_name: "",
  email: "",
  is_superuser: false,
  key_bindings: {},
  has_password: true,
};

export const PROJECT: Project = {
  id: 3,
  name: "Sports reel",
  guide: "Cut out the rider.",
  engine: "default",
  labels: [{ id: 1, name: "Rider", color: "#ff5a5f" }],
  role: "owner",
  sees: "all",
  review: false,
  pin_reasons: ["Boundary is off"],
  videos: 1,
  members: 1,
  cover: null,
  last_added_at: null,
  created_at: "2026-01-01T00:00:00Z",
};

export const VIDEO: Video = {
  id: 7,
  project: 3,
  name: "dirt bike",
  state: "ready",
  error: "",
  note: "",
  width: 854,
  height: 480,
  frame_count: 80,
  fps: 24,
  pixel_aspect: 1,
  size_bytes: 12_000_000,
  progress_done: 80,
  progress_total: 80,
  created_at: "2026-01-01T00:00:00Z",
  rounds: 3,
  last_worked_by: "Ada",
  last_worked_at: "2026-01-02T00:00:00Z",
  has_truth: false,
  running: false,
  accepted: 0,
  archived: false,
};

export const JOB: Job = {
  id: 21,
  video: 7,
  video_name: "dirt bike",
  video_frames: 80,
  project: 3,
  project_name: "Sports reel",
  first: 0,
  last: 39,
  position: 0,
  assignee: { id: 1, name: "Ada" },
  reviewer: null,
  stage: "annotation",
  state: "new",
  priority: 0,
  due: null,
  instructions: "",
  edition: 1,
  attempts: 0,
  accepted: 0,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  moves: ["start"],
  flagged: null,
  jf: null,
};

export const CARD_JOB: CardJob = {
  id: 21,
  first: 0,
  last: 79,
  stage: "annotation",
  state: "new",
  assignee: { id: 1, name: "Ada" },
  reviewer: null,
  priority: 0,
  due: null,
  late: false,
  edition: 1,
};

export const CARD: Card = { ...VIDEO, jobs: [CARD_JOB] };
