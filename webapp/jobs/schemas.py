"""The schemas in which the REST calls of jobs describe jobs, queues and errors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from webapp.annotation.schemas import FrameIndex, Model, ObjectNumber, Person, Span, Unit
from webapp.rest import ErrorAnswer

StageName = Literal["annotation", "validation", "acceptance"]
JobStateName = Literal["new", "in_progress", "completed", "rejected"]
ActionName = Literal["start", "submit", "accept", "reject", "reopen", "retract"]
Priority = Annotated[int, Field(ge=-9, le=9)]
Instructions = Annotated[str, Field(max_length=20_000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class JobNote(Model):
    """What was written to the next person when a job was submitted, accepted, sent back or opened again."""

    text: str
    by: Person | None  # None: the check of the project sent the job back.
    at: str


class JobInfo(Model):
    """The frames from `first` to `last` (inclusive) of a video, as the work of one person.

    `edition` rises with each change. A request that changes the job names the edition that its sender saw.
    """

    id: int
    video: int
    video_name: str
    video_frames: int  # The number of frames of the whole video.
    project: int
    project_name: str
    first: FrameIndex
    last: FrameIndex
    position: int  # The place among the jobs of the video.
    assignee: Person | None
    reviewer: Person | None
    stage: StageName
    state: JobStateName
    priority: Priority  # A job with a higher one comes first; 0 is the usual one.
    due: str | None  # A date, as YYYY-MM-DD.
    instructions: str  # What holds for this job, in addition to the guide of the project.
    note: JobNote | None  # Of the last submission, decision or reopening. None: nothing was written with it.
    edition: int
    attempts: int  # How many times it was submitted.
    j: Unit | None  # J, F and J&F of what was submitted, on hidden ground truth. Only reviewers get them.
    f: Unit | None
    jf: Unit | None
    flagged: bool | None  # Whether that is worse than the project asks for. Only reviewers get it.
    sample: list[FrameIndex] | None  # The frames that a reviewer is to look at; null: all. Only reviewers get them.
    accepted: int  # The number of its frames that are accepted.
    created_at: str  # In ISO 8601, as `updated_at`.
    updated_at: str
    moves: list[ActionName]  # What the person who asks may do with it now.


class JobPage(Model):
    """A part of a list of jobs. `next` is the value of `after` with which the next part is read; None: this is the last
    part.
    """

    jobs: list[JobInfo]
    next: int | None


class JobEventInfo(Model):
    action: str
    by: Person
    from_stage: StageName
    from_state: JobStateName
    to_stage: StageName
    to_state: JobStateName
    note: str
    details: dict[str, int | str | None]  # For assignments and changes: each field with its new value.
    at: str


class Pool(Model):
    """How many jobs of a project, new ones and ones that were sent back, nobody has: the person can take one."""

    project: int
    project_name: str
    jobs: int


class Work(Model):
    """A part of the queue of a person. The first job of each list is the next one to work on.

    Each list has a cursor, such as `next_jobs`: the value of `jobs_after` with which the next part of the jobs is read.
    It is null in the last part.
    """

    jobs: list[JobInfo]  # Those to annotate: sent back ones first, then begun ones, then by priority and due date.
    reviews: list[JobInfo]  # Those to review.
    pools: list[Pool]
    job_count: int  # The number of jobs in all parts.
    review_count: int
    next_jobs: int | None
    next_reviews: int | None
    next_pools: int | None


class LostObject(Model):
    """An object that is gone in frames of the job after the first one that shows it, and that nobody marked as absent
    or accepted there.
    """

    object: ObjectNumber
    spans: list[Span]


class Unfinished(Model):
    """What is left to do in the frames of a job, as inclusive spans.

    Accepted frames count as looked at, and as neither unsure nor lost.
    """

    frames: int  # The number of frames of the job.
    not_accepted: list[Span]
    no_mask: list[Span]
    not_looked_at: list[Span]  # By the assignee.
    unsure: list[Span]
    lost: list[LostObject]
    changed: list[Span]  # Their masks are newer than the last review. All frames with a mask before the first review.
    open_pins: list[int]  # Their ids.


class JobError(ErrorAnswer):
    """An error of a call that changes a job. If `job` is there, it is how the job stands now."""

    job: JobInfo | None = None
