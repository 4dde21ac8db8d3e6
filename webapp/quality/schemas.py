"""The schemas in which the REST calls of quality describe numbers, checks and consensus jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from webapp.annotation.schemas import Model, Person, Unit
from webapp.jobs.schemas import JobStateName, StageName


class NumbersRow(Model):
    """What was done by a person, for a label, an object or a video, in a week, or by an engine.

    `corrections` are versions on frames of somebody else's job; `rounds` are rounds that are no corrections. Means are
    null without values.
    """

    key: str  # The id of the person, label or video; both ids of an object, as "video.object"; a Monday; or the engine.
    name: str
    human_seconds: float
    engine_seconds: float
    strokes: float
    painted_pixels: float
    rounds: float
    corrections: float
    accepted_frames: float
    accepted_objects: float  # Objects that were accepted singly, counted in each frame.
    rejected_objects: float  # Pins about an object that others than the job's assignee made.
    submissions: float
    rejections: float
    rounds_to_accept: float | None  # The mean over accepted jobs, as `seconds_to_accept`.
    seconds_to_accept: float | None
    j: Unit | None  # Means over the frames with ground truth, at the heads of the videos.
    f: Unit | None
    jf: Unit | None


class Numbers(Model):
    rows: list[NumbersRow]


class CurvePoint(Model):
    """J, F and J&F after a round, and the human seconds that the video had taken by then."""

    video: int
    name: str
    round: int
    human_seconds: float
    j: Unit
    f: Unit
    jf: Unit


class Curve(Model):
    points: list[CurvePoint]


class QualityInfo(Model):
    """What a project asks of submitted work. `least_jf` null: no submission is flagged or sent back."""

    least_jf: Unit | None
    below: Literal["flag", "hold"]
    attempts: Annotated[int, Field(ge=1, le=20)]


class CopyInfo(Model):
    """The work of one person on a job that several people do."""

    job: int
    video: int
    person: Person | None
    stage: StageName
    state: JobStateName


class Agreement(Model):
    """J and F between the masks of two copies, as means over their frames and objects."""

    a: int  # The id of the job of one copy.
    b: int
    j: Unit
    f: Unit
    jf: Unit


class ConsensusInfo(Model):
    """A job that several people do without seeing each other's work."""

    job: int
    copies: list[CopyInfo]
    agreement: list[Agreement]  # Empty until a worker has computed it.
    computing: bool  # Whether a worker was asked and has not ended yet.
    error: str  # A sentence about why the worker could not.
    merged: int | None  # The number of the version that the copies were merged into.
