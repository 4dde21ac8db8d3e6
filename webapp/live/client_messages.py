"""The types of the messages from the browser to the server. Those to the browser are in protocol.py.

Messages that change something carry a `key` (a UUID made by the sender): the answer is `ack` or `error` with the same
key, and a message that is sent twice takes effect once. frontend/src/protocol.ts is generated from these types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from webapp.annotation.schemas import (
    Color,
    Direction,
    EditOp,
    FrameIndex,
    Key,
    Model,
    ObjectNumber,
    Point,
    Span,
)

MAX_MESSAGE_BYTES = 256 * 1024
MOST_DRAWN = 200  # The most frames that one round may have been drawn on.


class Resume(Model):
    """The first message, also sent after a gap. The server sends every change after `seq` and, of the masks after
    `mask_seq`, the newest of each frame.

    Both are the highest numbers that the page has, at first those of the state that it loaded over HTTP. If `seq` is 0
    or higher than any of the video, or if the gap is too long to be replayed, the welcome carries a state, and masks
    continue after its `mask_seq`.
    """

    type: Literal["resume"]
    version: int
    seq: int
    mask_seq: int


class ScribbleAdd(Model):
    type: Literal["scribble.add"]
    key: Key
    frame: FrameIndex
    object: Annotated[int, Field(ge=0, le=254)]
    path: Annotated[list[Point], Field(min_length=1, max_length=5000)]


class PromptAdd(Model):
    """Add a click (one point) or a box (two opposite corners), which waits for a round like a scribble.

    `positive` is false for a click on what is not the object. `scribble.remove` removes it.
    """

    type: Literal["prompt.add"]
    key: Key
    frame: FrameIndex
    object: ObjectNumber
    kind: Literal["click", "box"]
    points: Annotated[list[Point], Field(min_length=1, max_length=2)]
    positive: bool = True


class ScribbleRemove(Model):
    """Remove a scribble that the sender drew and no round has used. `scribble` is its key."""

    type: Literal["scribble.remove"]
    key: Key
    scribble: Key


class ObjectAdd(Model):
    type: Literal["object.add"]
    key: Key
    name: Annotated[str, Field(max_length=60)] = ""
    color: Color | None = None
    label: int | None = None


class ObjectUpdate(Model):
    """Rename, recolour, label, lock, move, delete or restore an object. Only the fields that are given change.

    `label` null takes the label away. `position` is the new index in the list of objects.
    """

    type: Literal["object.update"]
    key: Key
    number: ObjectNumber
    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    color: Color | None = None
    deleted: bool | None = None
    label: int | None = None
    locked: bool | None = None
    position: Annotated[int, Field(ge=0, le=1000)] | None = None


class RoundRun(Model):
    """Run one round with everything that the sender drew on `frames` and that waits for a round.

    `base` is the head that the page shows. `span` (inclusive), `direction` and `objects` limit which masks may change.
    The round crosses scene cuts only with `across_cuts`. With `from_masks`, the round starts from the mask of a frame
    that has no waiting scribble: a painted mask goes through the video, and a stopped round goes on from its last
    frame. The round waits for the rounds of other people. It supersedes those of the sender that wait or run, unless
    `supersedes` is false: then it waits for them, too.
    """

    type: Literal["round.run"]
    key: Key
    frames: Annotated[list[FrameIndex], Field(min_length=1, max_length=MOST_DRAWN)]
    engine: Annotated[str, Field(min_length=1, max_length=40)]
    base: int | None
    span: Span | None = None
    direction: Direction = "both"
    objects: Annotated[list[ObjectNumber], Field(min_length=1, max_length=254)] | None = None
    across_cuts: bool = False
    from_masks: bool = False
    supersedes: bool = True


class RoundCancel(Model):
    type: Literal["round.cancel"]
    key: Key
    round: int


class HeadMove(Model):
    """Move the head to another round: to the base of the present one (undo), to a round that builds on it (redo), or to
    any round.

    `from_round` is the head that the page shows.
    """

    type: Literal["head.move"]
    key: Key
    from_round: int | None
    to_round: int | None


class FramesAccept(Model):
    """Accept or release the masks of the frames from `first` to `last` (inclusive). Frames without a mask stay as
    they are. The `result` of the `ack` is the number of frames that changed.

    `head` is the head that the page shows, and `seen` the highest sequence number (Mask.id) of a mask that it has. If a
    frame has another mask by now, nothing changes and the answer is the error "conflict".
    """

    type: Literal["frames.accept"]
    key: Key
    first: FrameIndex
    last: FrameIndex
    accepted: bool
    head: int | None
    seen: Annotated[int, Field(ge=0)]


class ObjectAccept(Model):
    """Accept or release a single object in the frames from `first` to `last` (inclusive): later versions keep the
    pixels of an accepted object. Accepted frames and frames without a mask stay as they are. The `result` of the `ack`
    is the number of frames that changed.

    `head` and `seen` are as for `frames.accept`. Nothing is accepted while a round is computed.
    """

    type: Literal["object.accept"]
    key: Key
    object: ObjectNumber
    first: FrameIndex
    last: FrameIndex
    accepted: bool
    head: int | None
    seen: Annotated[int, Field(ge=0)]


class MaskPaint(Model):
    """Replace the mask of one object in one frame. The `result` of the `ack` is the id of the new version.

    `data` is the new mask in base64: a label map of 0 and 1 at the size of the video, encoded as masks are stored.
    It is applied to the mask that the frame has when the message arrives. `over` says over which other objects it may
    paint: over none, over those that are not locked, or over all of them, but not over those that are accepted singly
    in the frame. `scribbles` are the keys of the sender's waiting scribbles that a preview showed in the mask that was
    painted over: those of the object belong to the version from then on, and the others go on waiting for a round.
    """

    type: Literal["mask.paint"]
    key: Key
    frame: FrameIndex
    object: ObjectNumber
    data: str
    over: Literal["none", "unlocked", "all"]
    scribbles: list[Key] = []


class MaskEdit(Model):
    """Edit the masks of the frames from `first` to `last` (inclusive). The `result` is the id of the new version.

    clear: the objects lose their pixels. copy: they get the masks that they have in the frame `source`. merge: their
    pixels become those of `into`. swap: the two objects exchange their masks. split: the pixels of the one object
    become those of `into`. interpolate: between the masks of `first` and `last`, the objects change their shape evenly.
    Accepted frames stay as they are, and so do frames in which an object that would change is accepted singly. A worker
    does it after the rounds that wait or run.
    """

    type: Literal["mask.edit"]
    key: Key
    op: EditOp
    objects: Annotated[list[ObjectNumber], Field(min_length=1, max_length=254)]
    first: FrameIndex
    last: FrameIndex
    source: FrameIndex | None = None
    into: ObjectNumber | None = None


class SpanAbsent(Model):
    """Say that an object (null: every object that is not locked) is not visible in a span, or take that back.

    Stored masks do not change: the page, exports and engines leave the object out there. Accepted frames stay as they
    are, and so do those in which the object is accepted singly.
    """

    type: Literal["span.absent"]
    key: Key
    object: ObjectNumber | None
    first: FrameIndex
    last: FrameIndex
    absent: bool


class CutsSet(Model):
    """Replace the scene cuts of the video: the first frame of each new scene."""

    type: Literal["cuts.set"]
    key: Key
    cuts: Annotated[list[FrameIndex], Field(max_length=5000)]


class TimeSpent(Model):
    """Add to the time that the sender worked on an object; 0: no object was selected. Idle time is left out."""

    type: Literal["time.spent"]
    key: Key
    object: Annotated[int, Field(ge=0, le=254)]
    seconds: Annotated[float, Field(gt=0, le=120)]


class LeaseTake(Model):
    """Take the lease of an object without drawing on it. With `over`, a manager takes it from the person who has it."""

    type: Literal["lease.take"]
    key: Key
    object: ObjectNumber
    over: bool = False


class LeaseRelease(Model):
    """End the sender's lease of an object, so that others can draw on it."""

    type: Literal["lease.release"]
    key: Key
    object: ObjectNumber


class LeaseAsk(Model):
    """Tell the person who has the lease of an object that the sender would like to draw on it."""

    type: Literal["lease.ask"]
    key: Key
    object: ObjectNumber


class PreviewClick(Model):
    """A click below the mouse pointer that the person has not made, so it is not stored.

    The page sends it while the pointer hovers over the frame with Shift held, to show which mask a click would give.
    `positive` is false for a click on what is not the object.
    """

    object: ObjectNumber
    point: Point
    positive: bool


class PreviewAsk(Model):
    """Ask what mask the waiting scribbles of the sender, and perhaps a click, would give `frame`.

    It has no key. The answer is a binary message of type 2, an `error` without a key, or nothing: while a round of the
    video waits or runs, if nothing was drawn, if a newer preview was asked for, or if no worker answers in time. No
    mask is stored. If nothing was drawn, the worker opens the video and computes what it needs of the frame, so a page
    asks when a stroke begins.
    """

    type: Literal["preview.ask"]
    frame: FrameIndex
    engine: Annotated[str, Field(min_length=1, max_length=40)]
    click: PreviewClick | None


class Looking(Model):
    """Which frame the person looks at. It has no key and gets no answer."""

    type: Literal["looking"]
    frame: FrameIndex


class Ping(Model):
    type: Literal["ping"]


# Messages that change something. Each carries a key and is answered by `ack` or `error`.
Command = (
    ScribbleAdd
    | PromptAdd
    | ScribbleRemove
    | ObjectAdd
    | ObjectUpdate
    | RoundRun
    | RoundCancel
    | HeadMove
    | FramesAccept
    | ObjectAccept
    | MaskPaint
    | MaskEdit
    | SpanAbsent
    | CutsSet
    | TimeSpent
    | LeaseTake
    | LeaseRelease
    | LeaseAsk
)
ClientMessage = Annotated[Resume | Command | PreviewAsk | Looking | Ping, Field(discriminator="type")]

client_messages: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def sentence_of(problem: ValidationError) -> str:
    """Return what is wrong with a message that does not fit its type: the first field that does not, and why."""
    error = problem.errors()[0]
    if said := outside_of_picture(error["loc"], error["type"]):
        return said
    return f"{'.'.join(str(part) for part in error['loc']) or 'message'}: {error['msg']}"


def outside_of_picture(where: Sequence[int | str], kind: str) -> str | None:
    """Return a sentence that says which point of a stroke lies outside of the picture.

    `where` is the place of an error in a message, and `kind` Pydantic's type of it. If the error is another one than a
    coordinate outside of its range, None is returned.
    """
    if kind not in ("greater_than_equal", "less_than_equal"):
        return None
    if len(where) > 2 and where[-3] in ("path", "points") and isinstance(where[-2], int):
        return f"Point {where[-2] + 1} lies outside of the picture: x and y are numbers from 0 to 1."
    return None
