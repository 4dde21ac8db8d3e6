// Generated from webapp/annotation/schemas.py and webapp/live/protocol.py by `python -m webapp.live.typescript`.

export type Key = string;

export type Color = string;

export type Unit = number;

export type Point = [Unit, Unit];

export type FrameIndex = number;

export type ObjectNumber = number;

export type RoundStateName = "queued" | "running" | "done" | "cancelled" | "superseded" | "failed";

export type RoleName = "owner" | "manager" | "reviewer" | "annotator" | "viewer";

export interface Person {
  id: number;
  name: string;
}

export interface ObjectInfo {
  number: ObjectNumber;
  name: string;
  color: Color;
  label: number | null;
  deleted: boolean;
}

/** A scribble that waits for a round. */
export interface ScribbleInfo {
  key: Key;
  frame: FrameIndex;
  /** 0 = background */
  object: number;
  path: Point[];
  author: Person;
}

export interface RoundScribble {
  object_id: number;
  path: Point[];
}

export interface RoundInfo {
  id: number;
  number: number;
  author: Person;
  frame: FrameIndex;
  scribbles: RoundScribble[];
  engine: string;
  weights: string;
  /** The id of the round that it builds on. */
  base: number | null;
  state: RoundStateName;
  /** True if a person, or the round that supersedes it, asked it to stop. */
  cancel_requested: boolean;
  /** The number of frames stored so far. */
  done: number;
  total: number;
  /** The time since it started; final when it has ended. */
  seconds: number | null;
  error: string;
  /** In ISO 8601. */
  created_at: string;
  /** Inclusive ranges of the frames whose mask this round stored. */
  frames: [number, number][];
}

/**
 * J and F of one object, as means over the frames with ground truth.
 *
 * `truth` is the object's id in the ground truth.
 */
export interface ObjectScore {
  object: ObjectNumber;
  truth: number;
  j: Unit;
  f: Unit;
}

/**
 * How good the masks at a round are.
 *
 * Only people who may see ground truth get this, from GET /api/videos/{id}/scores.
 */
export interface RoundScores {
  round: number;
  j: Unit;
  f: Unit;
  jf: Unit;
  objects: ObjectScore[];
  /** J&F by frame. */
  frames: Record<number, Unit>;
}

export interface VideoInfo {
  id: number;
  project: number;
  project_name: string;
  name: string;
  width: number;
  height: number;
  frame_count: number;
  fps: number;
  /** The width of a pixel divided by its height: the page stretches frames and masks by it. */
  pixel_aspect: number;
  /** The project's choice: the name of an engine, or "default" (GET /api/engines says which that is). */
  engine: string;
  /** Empty for people who may not see ground truth. */
  truth_frames: number[];
}

/** The whole state of a video except its masks. Those of the frames in RoundInfo.frames are loaded over HTTP. */
export interface State {
  video: VideoInfo;
  objects: ObjectInfo[];
  scribbles: ScribbleInfo[];
  rounds: RoundInfo[];
  /** The id of the round that the video stands at. */
  head: number | null;
  /** By frame, the id of the round whose mask was accepted. */
  accepted: Record<number, number>;
  /** The newest Change.id that this state contains. */
  seq: number;
  /** The newest Mask.id that the rounds' frames contain. */
  mask_seq: number;
}

export const PROTOCOL_VERSION = 3;

export const MAX_MESSAGE_BYTES = 262144;

export interface WorkerStatus {
  alive: boolean;
  device: string;
  /** a sentence: "Computing on cpu", "The worker stopped; a new one is starting" */
  text: string;
}

/** A person who has the video open. */
export interface Viewer {
  person: Person;
  frame: FrameIndex;
}

/**
 * The first message, also sent after a gap. The server sends every change after `seq` and every mask after
 * `mask_seq`.
 *
 * Both are the highest numbers that the page has, at first those of the state that it loaded over HTTP. If `seq` is 0,
 * or the gap is too long to be replayed, the welcome carries a state, and masks continue after its `mask_seq`.
 */
export interface Resume {
  type: "resume";
  version: number;
  seq: number;
  mask_seq: number;
}

export interface ScribbleAdd {
  type: "scribble.add";
  key: Key;
  frame: FrameIndex;
  object: number;
  path: Point[];
}

/** Remove a scribble that the sender drew and no round has used. `scribble` is its key. */
export interface ScribbleRemove {
  type: "scribble.remove";
  key: Key;
  scribble: Key;
}

export interface ObjectAdd {
  type: "object.add";
  key: Key;
  name?: string;
  color?: Color | null;
  label?: number | null;
}

/** Rename, recolour, delete or restore an object. Only the fields that are given change. */
export interface ObjectUpdate {
  type: "object.update";
  key: Key;
  number: ObjectNumber;
  name?: string | null;
  color?: Color | null;
  deleted?: boolean | null;
}

/** Run a round with the scribbles that the sender drew on `frame`. `base` is the head that the page shows. */
export interface RoundRun {
  type: "round.run";
  key: Key;
  frame: FrameIndex;
  engine: string;
  base: number | null;
}

export interface RoundCancel {
  type: "round.cancel";
  key: Key;
  round: number;
}

/**
 * Move the head: to its base (undo), to a branch (redo) or to any round.
 *
 * `from_round` is the head that the page shows.
 */
export interface HeadMove {
  type: "head.move";
  key: Key;
  from_round: number | null;
  to_round: number | null;
}

/** Accept or release the mask of `frame`. `round` is the round whose mask the page shows. */
export interface FrameAccept {
  type: "frame.accept";
  key: Key;
  frame: FrameIndex;
  round: number;
  accepted: boolean;
}

/** Which frame the person looks at. It has no key and gets no answer. */
export interface Looking {
  type: "looking";
  frame: FrameIndex;
}

export interface Ping {
  type: "ping";
}

export type Command =
  | ScribbleAdd
  | ScribbleRemove
  | ObjectAdd
  | ObjectUpdate
  | RoundRun
  | RoundCancel
  | HeadMove
  | FrameAccept;

export type ClientMessage = Resume | Command | Looking | Ping;

/** The answer to `resume`. If the page has no state, or one that is too old, `state` replaces it. */
export interface Welcome {
  type: "welcome";
  version: number;
  you: Person;
  role: RoleName;
  state: State | null;
  worker: WorkerStatus;
}

/**
 * The message with this key took effect.
 *
 * `result` is the object id or round id that it created, if it created one.
 */
export interface Ack {
  type: "ack";
  key: Key;
  result: number | null;
}

/**
 * The message was refused.
 *
 * `code` is stable, `text` is for the user. With the code "conflict", `head` is the present head.
 */
export interface Error {
  type: "error";
  code: string;
  text: string;
  key: Key | null;
  head: number | null;
}

export interface ScribbleAdded {
  type: "scribble.added";
  seq: number;
  scribble: ScribbleInfo;
}

/** These scribbles were undone, or a round has used them. */
export interface ScribbleRemoved {
  type: "scribble.removed";
  seq: number;
  keys: Key[];
}

export interface ObjectChanged {
  type: "object.changed";
  seq: number;
  object: ObjectInfo;
}

/** A round is new, or its state has changed. */
export interface RoundChanged {
  type: "round.changed";
  seq: number;
  round: RoundInfo;
}

export interface HeadMoved {
  type: "head.moved";
  seq: number;
  head: number | null;
  by: Person;
}

export interface AcceptedChanged {
  type: "accepted.changed";
  seq: number;
  frame: FrameIndex;
  /** None: released */
  round: number | null;
}

/** A round was compared with ground truth. Reviewers get the scores from GET /api/videos/{id}/scores. */
export interface RoundScored {
  type: "round.scored";
  seq: number;
  round: number;
}

/** How far a running round is. It is a hint and not in the change log. */
export interface RoundProgress {
  type: "round.progress";
  round: number;
  done: number;
  total: number;
  seconds: number;
}

export interface Presence {
  type: "presence";
  viewers: Viewer[];
}

export interface WorkerChanged {
  type: "worker";
  worker: WorkerStatus;
}

export interface Pong {
  type: "pong";
}

export type ServerMessage =
  | Welcome
  | Ack
  | Error
  | ScribbleAdded
  | ScribbleRemoved
  | ObjectChanged
  | RoundChanged
  | HeadMoved
  | AcceptedChanged
  | RoundScored
  | RoundProgress
  | Presence
  | WorkerChanged
  | Pong;

export const CLOSE_CODES: Readonly<Record<number, string>> = {
  4400: "The page is older than the server. Reload it.",
  4401: "You are signed out. Sign in again.",
  4403: "You may no longer open this video.",
  4404: "This video does not exist.",
  4413: "A message was too large; it was not stored.",
  4429: "Too many messages in a short time. Reconnecting in a moment.",
  4503: "The server is restarting. Reconnecting.",
};
