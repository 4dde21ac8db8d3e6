"""The types of all socket messages, with one union for each direction. frontend/src/protocol.ts is generated from them.

Browser -> server messages carry a `key` (a UUID made by the browser): the answer is `ack` or `error` with the same key,
and a message that is sent twice takes effect once. Server -> browser messages that come from the change log carry `seq`
(Change.id); masks travel in binary frames (see webapp/annotation/codec.py) and carry Mask.id as their sequence number.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from webapp.annotation.schemas import (
    Color,
    Direction,
    FrameIndex,
    Key,
    Model,
    ObjectInfo,
    ObjectNumber,
    Person,
    Point,
    RoleName,
    RoundInfo,
    ScribbleInfo,
    Span,
    State,
)

PROTOCOL_VERSION = 4
MAX_MESSAGE_BYTES = 256 * 1024
MOST_DRAWN = 200  # The most frames that one round may have been drawn on.


# --- shared parts -----------------------------------------------------------------------------------------------------


class WorkerStatus(Model):
    alive: bool
    device: str
    text: str  # a sentence: "Computing on cpu", "The worker stopped; a new one is starting"


class Viewer(Model):
    """A person who has the video open."""

    person: Person
    frame: FrameIndex


# --- browser -> server ------------------------------------------------------------------------------------------------


class Resume(Model):
    """The first message, also sent after a gap. The server sends every change after `seq` and every mask after
    `mask_seq`.

    Both are the highest numbers that the page has, at first those of the state that it loaded over HTTP. If `seq` is 0,
    or the gap is too long to be replayed, the welcome carries a state, and masks continue after its `mask_seq`.
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
    object: Annotated[int, Field(ge=0, le=254)]
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
    The round crosses scene cuts only with `across_cuts`.
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


class RoundCancel(Model):
    type: Literal["round.cancel"]
    key: Key
    round: int


class HeadMove(Model):
    """Move the head: to its base (undo), to a branch (redo) or to any round.

    `from_round` is the head that the page shows.
    """

    type: Literal["head.move"]
    key: Key
    from_round: int | None
    to_round: int | None


class FramesAccept(Model):
    """Accept or release the masks of the frames from `first` to `last` (inclusive). Frames without a mask stay as
    they are. The `result` of the `ack` is the number of frames that changed.

    `head` is the head that the page shows and `seen` the highest number of a mask that it has. If a frame has another
    mask by now, nothing changes and the answer is the error "conflict".
    """

    type: Literal["frames.accept"]
    key: Key
    first: FrameIndex
    last: FrameIndex
    accepted: bool
    head: int | None
    seen: Annotated[int, Field(ge=0)]


class MaskPaint(Model):
    """Replace the mask of one object in one frame. The `result` of the `ack` is the id of the new version.

    `data` is the new mask in base64: a label map of 0 and 1 at the size of the video, in the bytes of a mask.
    It is applied to the mask that the frame has when the message arrives. `over` says over which other objects it may
    paint: over none, over those that are not locked, or over all of them.
    """

    type: Literal["mask.paint"]
    key: Key
    frame: FrameIndex
    object: ObjectNumber
    data: str
    over: Literal["none", "unlocked", "all"]


class Looking(Model):
    """Which frame the person looks at. It has no key and gets no answer."""

    type: Literal["looking"]
    frame: FrameIndex


class Ping(Model):
    type: Literal["ping"]


# Messages that change something. Each carries a key and is answered by `ack` or `error`.
Command = (
    ScribbleAdd
    | ScribbleRemove
    | ObjectAdd
    | ObjectUpdate
    | RoundRun
    | RoundCancel
    | HeadMove
    | FramesAccept
    | MaskPaint
)
ClientMessage = Annotated[Resume | Command | Looking | Ping, Field(discriminator="type")]

# --- server -> browser ------------------------------------------------------------------------------------------------


class Welcome(Model):
    """The answer to `resume`. If the page has no state, or one that is too old, `state` replaces it."""

    type: Literal["welcome"]
    version: int
    you: Person
    role: RoleName
    state: State | None
    worker: WorkerStatus


class Ack(Model):
    """The message with this key took effect.

    `result` is the object id or round id that it created, if it created one.
    """

    type: Literal["ack"]
    key: Key
    result: int | None


class Error(Model):
    """The message was refused.

    `code` is stable, `text` is for the user. With the code "conflict", `head` is the present head.
    """

    type: Literal["error"]
    code: str
    text: str
    key: Key | None
    head: int | None


class ScribbleAdded(Model):
    type: Literal["scribble.added"]
    seq: int
    scribble: ScribbleInfo


class ScribbleRemoved(Model):
    """These scribbles were undone, or a round has used them."""

    type: Literal["scribble.removed"]
    seq: int
    keys: list[Key]


class ObjectChanged(Model):
    type: Literal["object.changed"]
    seq: int
    object: ObjectInfo


class RoundChanged(Model):
    """A round is new, or its state has changed."""

    type: Literal["round.changed"]
    seq: int
    round: RoundInfo


class HeadMoved(Model):
    type: Literal["head.moved"]
    seq: int
    head: int | None
    by: Person


class AcceptedSpan(Model):
    first: FrameIndex
    last: FrameIndex
    round: int | None  # The round whose masks were accepted; None: the frames were released.


class AcceptedChanged(Model):
    type: Literal["accepted.changed"]
    seq: int
    spans: list[AcceptedSpan]


class RoundScored(Model):
    """A round was compared with ground truth. Reviewers get the scores from GET /api/videos/{id}/scores."""

    type: Literal["round.scored"]
    seq: int
    round: int


class RoundProgress(Model):
    """How far a running round is. It is a hint and not in the change log."""

    type: Literal["round.progress"]
    round: int
    done: int
    total: int
    seconds: float


class Presence(Model):
    type: Literal["presence"]
    viewers: list[Viewer]


class WorkerChanged(Model):
    type: Literal["worker"]
    worker: WorkerStatus


class Pong(Model):
    type: Literal["pong"]


ServerMessage = Annotated[
    Welcome
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
    | Pong,
    Field(discriminator="type"),
]

client_messages: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)
server_messages: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)

# Close codes of the socket, each with the sentence that the page shows.
CLOSE_CODES = {
    4400: "The page is older than the server. Reload it.",
    4401: "You are signed out. Sign in again.",
    4403: "You may no longer open this video.",
    4404: "This video does not exist.",
    4413: "A message was too large; it was not stored.",
    4429: "Too many messages in a short time. Reconnecting in a moment.",
    4503: "The server is restarting. Reconnecting.",
}
