// Generated from webapp/annotation/schemas.py, webapp/live/client_messages.py and webapp/live/protocol.py
// by `python -m webapp.live.typescript`.

export type Key = string;

export type Color = string;

export type Unit = number;

export type Point = [Unit, Unit];

export type FrameIndex = number;

export type ObjectNumber = number;

export type RoundStateName = "queued" | "running" | "done" | "cancelled" | "superseded" | "failed";

export type Origin = "round" | "painted" | "edited" | "imported";

export type Direction = "both" | "forward" | "backward";

export type ScribbleKind = "scribble" | "click" | "box";

export type EditOp = "clear" | "copy" | "merge" | "swap" | "split" | "interpolate";

export type Span = [FrameIndex, FrameIndex];

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
  /** A person locked it: nothing changes its masks. */
  locked: boolean;
  /** Its place in the list of objects; ties are listed by number. */
  position: number;
}

/**
 * A scribble that waits for a round.
 *
 * A click has one point, a box has two opposite corners. `positive` is false for a click on what is not the object.
 */
export interface ScribbleInfo {
  key: Key;
  frame: FrameIndex;
  /** 0 = background */
  object: number;
  path: Point[];
  kind: ScribbleKind;
  positive: boolean;
  author: Person;
}

export interface RoundScribble {
  object_id: number;
  path: Point[];
  frame: FrameIndex;
  kind: ScribbleKind;
  positive: boolean;
}

/**
 * What an edited version did to the masks of the frames from `first` to `last` (inclusive).
 *
 * `source` is the frame that "copy" copied from. `into` is the object that "merge" and "split" gave the pixels to.
 */
export interface EditInfo {
  op: EditOp;
  objects: ObjectNumber[];
  first: FrameIndex;
  last: FrameIndex;
  source: FrameIndex | null;
  into: ObjectNumber | null;
}

/** A version of the masks: a round of an engine, a painted mask, an edit of a span, or imported masks (`origin`). */
export interface RoundInfo {
  id: number;
  number: number;
  author: Person;
  origin: Origin;
  /** The first of `drawn`. */
  frame: FrameIndex;
  /** The frames that were drawn on or painted; for an edit, its first and last frame. */
  drawn: FrameIndex[];
  scribbles: RoundScribble[];
  /** No frame outside gets a mask. */
  span: Span | null;
  direction: Direction;
  /** Only these may change; None: all. For a painted version, the painted one. */
  objects: ObjectNumber[] | null;
  edit: EditInfo | null;
  /** Empty if no engine made it. */
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
  /** What to know about the video, such as damaged frames that were left out. */
  note: string;
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
  /** By object, the frames in which it is not visible. Objects without any are left out. */
  absent: Record<number, Span[]>;
  /** The first frame of each new scene. */
  cuts: FrameIndex[];
  /** Human work by object; 0: while no object was selected. Idle time is left out. */
  seconds: Record<number, number>;
  /** The newest Change.id that this state contains. */
  seq: number;
  /** The newest Mask.id that the rounds' frames contain. */
  mask_seq: number;
}

export const MAX_MESSAGE_BYTES = 262144;

export const MOST_DRAWN = 200;

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

/**
 * Add a click (one point) or a box (two opposite corners), which waits for a round like a scribble.
 *
 * `positive` is false for a click on what is not the object. `scribble.remove` removes it.
 */
export interface PromptAdd {
  type: "prompt.add";
  key: Key;
  frame: FrameIndex;
  object: ObjectNumber;
  kind: "click" | "box";
  points: Point[];
  positive?: boolean;
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

/**
 * Rename, recolour, label, lock, move, delete or restore an object. Only the fields that are given change.
 *
 * `label` null takes the label away. `position` is the new index in the list of objects.
 */
export interface ObjectUpdate {
  type: "object.update";
  key: Key;
  number: ObjectNumber;
  name?: string | null;
  color?: Color | null;
  deleted?: boolean | null;
  label?: number | null;
  locked?: boolean | null;
  position?: number | null;
}

/**
 * Run one round with everything that the sender drew on `frames` and that waits for a round.
 *
 * `base` is the head that the page shows. `span` (inclusive), `direction` and `objects` limit which masks may change.
 * The round crosses scene cuts only with `across_cuts`.
 */
export interface RoundRun {
  type: "round.run";
  key: Key;
  frames: FrameIndex[];
  engine: string;
  base: number | null;
  span?: Span | null;
  direction?: Direction;
  objects?: ObjectNumber[] | null;
  across_cuts?: boolean;
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

/**
 * Accept or release the masks of the frames from `first` to `last` (inclusive). Frames without a mask stay as
 * they are. The `result` of the `ack` is the number of frames that changed.
 *
 * `head` is the head that the page shows and `seen` the highest number of a mask that it has. If a frame has another
 * mask by now, nothing changes and the answer is the error "conflict".
 */
export interface FramesAccept {
  type: "frames.accept";
  key: Key;
  first: FrameIndex;
  last: FrameIndex;
  accepted: boolean;
  head: number | null;
  seen: number;
}

/**
 * Replace the mask of one object in one frame. The `result` of the `ack` is the id of the new version.
 *
 * `data` is the new mask in base64: a label map of 0 and 1 at the size of the video, in the bytes of a mask.
 * It is applied to the mask that the frame has when the message arrives. `over` says over which other objects it may
 * paint: over none, over those that are not locked, or over all of them.
 */
export interface MaskPaint {
  type: "mask.paint";
  key: Key;
  frame: FrameIndex;
  object: ObjectNumber;
  data: string;
  over: "none" | "unlocked" | "all";
}

/**
 * Edit the masks of the frames from `first` to `last` (inclusive). The `result` of the `ack` is the new version.
 *
 * clear: the objects lose their pixels. copy: they get the masks that they have in the frame `source`. merge: their
 * pixels become those of `into`. swap: the two objects change places. split: the pixels of the one object become those
 * of `into`. interpolate: between the masks of `first` and `last`, the objects change their shape evenly. Accepted
 * frames stay as they are. A worker does it after the rounds that wait or run.
 */
export interface MaskEdit {
  type: "mask.edit";
  key: Key;
  op: EditOp;
  objects: ObjectNumber[];
  first: FrameIndex;
  last: FrameIndex;
  source?: FrameIndex | null;
  into?: ObjectNumber | null;
}

/**
 * Say that an object (null: every object that is not locked) is not visible in a span, or take that back.
 *
 * The masks do not change: the page, exports and engines leave the object out there.
 */
export interface SpanAbsent {
  type: "span.absent";
  key: Key;
  object: ObjectNumber | null;
  first: FrameIndex;
  last: FrameIndex;
  absent: boolean;
}

/** Replace the scene cuts of the video: the first frame of each new scene. */
export interface CutsSet {
  type: "cuts.set";
  key: Key;
  cuts: FrameIndex[];
}

/** Add to the time that the sender worked on an object; 0: no object was selected. Idle time is left out. */
export interface TimeSpent {
  type: "time.spent";
  key: Key;
  object: number;
  seconds: number;
}

/** A click that is not stored, because the person only holds the pointer there. */
export interface PreviewClick {
  object: ObjectNumber;
  point: Point;
  positive: boolean;
}

/**
 * Ask what mask the waiting scribbles of the sender, and perhaps a click, would give `frame`.
 *
 * It has no key. The answer is a binary frame of type 2, or nothing: while a round of the video waits or runs, if
 * nothing was drawn, or if a newer preview was asked for. Nothing is stored.
 */
export interface PreviewAsk {
  type: "preview.ask";
  frame: FrameIndex;
  engine: string;
  click: PreviewClick | null;
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
  | PromptAdd
  | ScribbleRemove
  | ObjectAdd
  | ObjectUpdate
  | RoundRun
  | RoundCancel
  | HeadMove
  | FramesAccept
  | MaskPaint
  | MaskEdit
  | SpanAbsent
  | CutsSet
  | TimeSpent;

export type ClientMessage = Resume | Command | PreviewAsk | Looking | Ping;

export const PROTOCOL_VERSION = 4;

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

export interface AcceptedSpan {
  first: FrameIndex;
  last: FrameIndex;
  /** The round whose masks were accepted; None: the frames were released. */
  round: number | null;
}

export interface AcceptedChanged {
  type: "accepted.changed";
  seq: number;
  spans: AcceptedSpan[];
}

export interface AbsentChanged {
  type: "absent.changed";
  seq: number;
  object: ObjectNumber;
  spans: Span[];
}

export interface CutsChanged {
  type: "cuts.changed";
  seq: number;
  cuts: FrameIndex[];
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
  | AbsentChanged
  | CutsChanged
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
