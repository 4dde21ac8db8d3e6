"""The schemas of a video's state and of its parts, which the messages in live/protocol.py use too."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
Color = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Unit = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Unit, Unit]
FrameIndex = Annotated[int, Field(ge=0)]
ObjectNumber = Annotated[int, Field(ge=1, le=254)]
RoundStateName = Literal["queued", "running", "done", "cancelled", "superseded", "failed"]
Origin = Literal["round", "painted", "edited", "imported"]
Direction = Literal["both", "forward", "backward"]
ScribbleKind = Literal["scribble", "click", "box"]
EditOp = Literal["clear", "copy", "merge", "swap", "split", "interpolate"]
Span = tuple[FrameIndex, FrameIndex]
Reason = Annotated[str, Field(max_length=60)]
PinText = Annotated[str, Field(max_length=4000)]
RoleName = Literal["owner", "manager", "reviewer", "annotator", "viewer"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AcceptedObjectSpan(Model):
    """A span in which one object is accepted singly, with the pixels that it has in the masks of `round`.

    It counts while this round is on the line of the head.
    """

    first: FrameIndex
    last: FrameIndex
    round: int


class Person(Model):
    id: int
    name: str


class ObjectInfo(Model):
    number: ObjectNumber
    name: str
    color: Color
    label: int | None
    deleted: bool
    locked: bool  # No engine changes its masks; painting over it with "all" does.
    position: int  # Its place in the list of objects; ties are listed by object id.


class ScribbleInfo(Model):
    """A scribble that waits for a round.

    A click has one point, a box has two opposite corners. `positive` is false for a click on what is not the object.
    """

    key: Key
    frame: FrameIndex
    object: Annotated[int, Field(ge=0, le=254)]  # 0 = background
    path: list[Point]
    kind: ScribbleKind
    positive: bool
    author: Person


class RoundScribble(Model):
    object_id: int
    path: list[Point]
    frame: FrameIndex
    kind: ScribbleKind
    positive: bool


class EditInfo(Model):
    """What an edited version did to the masks of the frames from `first` to `last` (inclusive).

    `source` is the frame that "copy" copied from. `into` is the object that "merge" and "split" gave the pixels to.
    """

    op: EditOp
    objects: list[ObjectNumber]
    first: FrameIndex
    last: FrameIndex
    source: FrameIndex | None
    into: ObjectNumber | None


class RoundInfo(Model):
    """A version of the masks: a round of an engine, a painted mask, an edit of a span, or imported masks (`origin`)."""

    id: int
    number: int
    author: Person
    origin: Origin
    frame: FrameIndex  # The first of `drawn`.
    drawn: list[FrameIndex]  # Drawn on, started from or painted; of an edit the first and last, of an import the first.
    scribbles: list[RoundScribble]
    span: Span | None  # No frame outside gets a mask.
    direction: Direction
    objects: list[ObjectNumber] | None  # Only these may change; None: all. For a painted version, the painted one.
    edit: EditInfo | None
    source: str  # Of imported masks: the name of the file, or how many people agreed. Otherwise empty.
    engine: str  # Empty if no engine made it.
    weights: str
    base: int | None  # The id of the round that it builds on.
    state: RoundStateName
    cancel_requested: bool  # True if a person, or the round that supersedes it, asked it to stop.
    done: int  # The number of frames stored so far.
    total: int
    seconds: float | None  # The time since it started; final when it has ended.
    error: str
    created_at: str  # In ISO 8601.
    frames: list[tuple[int, int]]  # Inclusive ranges of the frames whose mask this round stored.


class PinReplyInfo(Model):
    id: int
    author: Person
    text: str
    created_at: str


class LeaseInfo(Model):
    """A person's right to draw on an object, which nobody else has meanwhile.

    It ends at `until`, which each stroke moves on; or before, if the person releases the object or closes the page, or
    if a manager takes it over.
    """

    object: ObjectNumber
    holder: Person
    until: str  # In ISO 8601.
    fence: int  # It rises whenever the holder or their page changes.
    asked_by: Person | None  # Who asked for the object last.


class PinInfo(Model):
    """A comment on a frame or several. Without `x` and `y` it is about whole frames.

    A pin about an object says that the object is wrong there, until the pin is resolved.
    """

    id: int
    job: int | None  # The job that was rejected with it.
    frame: FrameIndex
    last: FrameIndex | None  # It is about the frames from `frame` to `last`; None: about `frame` alone.
    object: ObjectNumber | None
    x: Unit | None
    y: Unit | None
    reason: str  # Empty, or one of the reasons that the project had when the pin was set.
    text: str
    author: Person
    created_at: str  # In ISO 8601.
    resolved_by: Person | None  # None: it is open.
    resolved_at: str | None
    replies: list[PinReplyInfo]


class RoundPage(Model):
    """A part of the rounds of a video, newest first. `next` is the value of `before` with which the next part is read;
    null: there is no next part.
    """

    rounds: list[RoundInfo]
    next: int | None


class LineInfo(Model):
    """What the versions on the line of a round amount to, for a page that has not loaded them.

    A range of versions has all versions of the video from its first to its last id. Spans of frames are inclusive.
    """

    round: int | None  # The version whose line it is. None: the state before the first version, whose line is empty.
    rounds: list[tuple[int, int]]  # The ranges of versions on the line.
    ahead: list[tuple[int, int]]  # The ranges of versions to which redo leads from `round` on.
    masks: list[tuple[FrameIndex, FrameIndex, int]]  # The spans with masks, each with the round that stored them.
    drawn: list[Span]  # The frames that rounds of the line were drawn on or started from.
    scribbled: dict[int, list[Span]]  # By object id, the frames on which it was drawn; 0 is the background.
    painted: dict[int, list[Span]]  # By object id, the frames in which it was painted.
    painted_since: dict[int, list[Span]]  # By author, the frames painted since the last round of an engine.


class OlderRounds(Model):
    """The versions of a video that a State leaves out, in short.

    `line` is the line of the newest version on the line of the head whose id is lower than `before`, or the empty line.
    """

    before: int  # GET /api/videos/{id}/rounds with this `before` has the newest of them.
    count: int  # How many versions have a lower id than `before`.
    line: LineInfo


class FrameScribbles(Model):
    """A part of the scribbles of a frame that the rounds of a line used, newest first. `next` is the value of `before`
    with which the next part is read; null: there is no next part.
    """

    scribbles: list[RoundScribble]
    next: int | None


class ObjectScore(Model):
    """J and F of one object, as means over the frames with ground truth.

    `truth` is the object's id in the ground truth.
    """

    object: ObjectNumber
    truth: int
    j: Unit
    f: Unit


class RoundScores(Model):
    """How good the masks at a round are.

    Only people who may see ground truth get this, from GET /api/videos/{id}/scores.
    """

    round: int
    number: int  # That of the round.
    j: Unit
    f: Unit
    jf: Unit
    objects: list[ObjectScore]
    frames: dict[int, Unit]  # J&F by frame.


class VideoInfo(Model):
    id: int
    project: int
    project_name: str
    name: str
    width: int
    height: int
    frame_count: int
    fps: float
    pixel_aspect: float  # The width of a pixel divided by its height: the page stretches frames and masks by it.
    engine: str  # The project's choice: the name of an engine, or "default" (GET /api/engines says which that is).
    note: str  # What to know about the video, such as damaged frames that were left out.
    truth_frames: list[int]  # Empty for people who may not see ground truth.


class State(Model):
    """The state of a video without its masks and its older versions, which other calls have."""

    video: VideoInfo
    objects: list[ObjectInfo]
    scribbles: list[ScribbleInfo]
    rounds: list[RoundInfo]  # The newest 30 versions, and of the older ones the head and those that have not ended.
    older: OlderRounds | None  # None if there are no others.
    head: int | None  # The id of the round that the video stands at.
    pins: list[PinInfo]
    accepted: dict[int, int]  # By frame, the id of the round whose mask was accepted.
    accepted_objects: dict[
        int, list[AcceptedObjectSpan]
    ]  # By the id of each object that is accepted singly in a frame.
    absent: dict[int, list[Span]]  # By object, the frames in which it is not visible. Objects without any are left out.
    cuts: list[FrameIndex]  # The first frame of each new scene.
    seconds: dict[int, float]  # Human work by object; 0: while no object was selected. Idle time is left out.
    seq: int  # The newest Change.id that this state contains.
    mask_seq: int  # The newest Mask.id that the rounds' frames contain.
