"""The types of the messages from the server to the browser. Those from the browser are in client_messages.py.

Messages that come from the change log carry `seq` (Change.id); masks travel in binary messages (see
webapp/annotation/codec.py) and carry Mask.id as their sequence number, previews 0. frontend/src/protocol.ts is
generated from these types, those of client_messages.py and those of webapp/annotation/schemas.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from webapp.annotation.schemas import (
    AcceptedObjectSpan,
    FrameIndex,
    Key,
    LeaseInfo,
    Model,
    ObjectInfo,
    ObjectNumber,
    Person,
    PinInfo,
    RoleName,
    RoundInfo,
    ScribbleInfo,
    Span,
    State,
)

PROTOCOL_VERSION = 5


# --- shared parts -----------------------------------------------------------------------------------------------------


class WorkerStatus(Model):
    alive: bool
    device: str
    text: str  # a sentence: "Computing on cpu", "The worker stopped; a new one is starting"


class Viewer(Model):
    """A person who has the video open."""

    person: Person
    frame: FrameIndex


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

    `result` is the id of the object or round that it created, or the number of frames that were accepted or released;
    null for other messages.
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
    """These scribbles were removed, or a version has used them."""

    type: Literal["scribble.removed"]
    seq: int
    keys: list[Key]


class ObjectChanged(Model):
    type: Literal["object.changed"]
    seq: int
    object: ObjectInfo


class RoundChanged(Model):
    """A round is new, or something about it has changed, such as its state."""

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


class ObjectAccepted(Model):
    """An object was accepted singly, or released. `spans` are all spans in which it is accepted now."""

    type: Literal["object.accepted"]
    seq: int
    object: ObjectNumber
    spans: list[AcceptedObjectSpan]


class AbsentChanged(Model):
    type: Literal["absent.changed"]
    seq: int
    object: ObjectNumber
    spans: list[Span]


class CutsChanged(Model):
    type: Literal["cuts.changed"]
    seq: int
    cuts: list[FrameIndex]


class RoundScored(Model):
    """A round was compared with ground truth. Reviewers get the scores from GET /api/videos/{id}/scores."""

    type: Literal["round.scored"]
    seq: int
    round: int


class PinChanged(Model):
    """A pin is new, was changed, resolved or reopened, or has a new reply."""

    type: Literal["pin.changed"]
    seq: int
    pin: PinInfo


class JobsChanged(Model):
    """The jobs of the video changed. GET /api/jobs?video= has them as the person may see them."""

    type: Literal["jobs.changed"]
    seq: int


class Leases(Model):
    """Who has the lease of which object, so that others cannot draw on it. It is a hint and not in the change log.

    It is sent when a holder or a request for a lease changes, not for each stroke that prolongs a lease.
    """

    type: Literal["leases"]
    leases: list[LeaseInfo]


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
    | ObjectAccepted
    | AbsentChanged
    | CutsChanged
    | RoundScored
    | PinChanged
    | JobsChanged
    | Leases
    | RoundProgress
    | Presence
    | WorkerChanged
    | Pong,
    Field(discriminator="type"),
]

server_messages: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)

# --- server -> browser, on the socket of a project --------------------------------------------------------------------


class ImportProgress(Model):
    video: int
    done: int  # The number of frames that are imported so far.
    total: int  # 0 if unknown.


class VideosChanged(Model):
    """Videos of the project have changed.

    `changed` are ids of videos, whose cards the page gets from GET /api/projects/{id}/cards?ids=... A video that is not
    in that answer is gone, or the filter of the list leaves it out. Imports of which only the progress has changed are
    in `progress` alone. With `all`, the page loads the whole list again: the first message says so, and any message
    about very many changes.
    """

    type: Literal["videos.changed"]
    changed: list[int]
    progress: list[ImportProgress]
    all: bool


# Close codes of the socket, each with the sentence that the page shows.
CLOSE_CODES = {
    4400: "The page is older than the server. Reload it.",
    4401: "You are signed out. Sign in again.",
    4403: "You may no longer open this video.",
    4404: "This video does not exist, or you are not a member of its project.",
    4413: "A message was too large; it was not stored.",
    4429: "Too many messages in a short time. Reconnecting in a moment.",
    4503: "The server is restarting. Reconnecting.",
}
