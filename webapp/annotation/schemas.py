"""What people are shown of a video: the typed parts of the state and of the messages in live/protocol.py."""

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
RoleName = Literal["owner", "manager", "reviewer", "annotator", "viewer"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Person(Model):
    id: int
    name: str


class ObjectInfo(Model):
    number: ObjectNumber
    name: str
    color: Color
    label: int | None
    deleted: bool


class ScribbleInfo(Model):
    """A scribble that waits for a round."""

    key: Key
    frame: FrameIndex
    object: Annotated[int, Field(ge=0, le=254)]  # 0 = background
    path: list[Point]
    author: Person


class RoundScribble(Model):
    object_id: int
    path: list[Point]


class RoundInfo(Model):
    id: int
    number: int
    author: Person
    frame: FrameIndex
    scribbles: list[RoundScribble]
    engine: str
    weights: str
    base: int | None  # id of the round it started from
    state: RoundStateName
    cancel_requested: bool  # asked to stop, by a person or by the round that supersedes it
    done: int  # frames stored so far
    total: int
    seconds: float | None  # since it started; final when it has ended
    error: str
    created_at: str  # ISO 8601
    frames: list[tuple[int, int]]  # inclusive ranges of frames whose mask this round stored


class ObjectScore(Model):
    """J and F of one object, mean over the frames with ground truth. `truth` is the id that it has there."""

    object: ObjectNumber
    truth: int
    j: Unit
    f: Unit


class RoundScores(Model):
    """How good the masks at a round are. Only for those who may see ground truth: GET /api/videos/{id}/scores."""

    round: int
    j: Unit
    f: Unit
    jf: Unit
    objects: list[ObjectScore]
    frames: dict[int, Unit]  # frame -> J&F


class VideoInfo(Model):
    id: int
    project: int
    project_name: str
    name: str
    width: int
    height: int
    frame_count: int
    fps: float
    engine: str  # the project's choice: a registry name, or "default" (GET /api/engines says which that is)
    truth_frames: list[int]  # empty for those who may not see ground truth


class State(Model):
    """All of a video's state but its masks: those of RoundInfo.frames are loaded over HTTP."""

    video: VideoInfo
    objects: list[ObjectInfo]
    scribbles: list[ScribbleInfo]
    rounds: list[RoundInfo]
    head: int | None  # id of the round the video stands at
    accepted: dict[int, int]  # frame -> id of the round whose mask was accepted
    seq: int  # newest Change.id contained
    mask_seq: int  # newest Mask.id contained in the rounds' frames
