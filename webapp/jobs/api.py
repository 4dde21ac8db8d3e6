"""REST calls of jobs."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.pin_api import PinBody
from webapp.annotation.schemas import FrameIndex, LeaseInfo, Span
from webapp.jobs import assigning, cutting, moves, sampling
from webapp.jobs.access import job_for, jobs_of
from webapp.jobs.describe import event_info, events_of, job_info, job_infos
from webapp.jobs.leases import leases_of
from webapp.jobs.queue import IN_QUEUE, Order, page_of, work_of
from webapp.jobs.sampling import Of
from webapp.jobs.schemas import (
    ActionName,
    Instructions,
    JobError,
    JobEventInfo,
    JobInfo,
    JobPage,
    JobStateName,
    Note,
    Priority,
    StageName,
    Unfinished,
    Work,
)
from webapp.jobs.states import Action
from webapp.jobs.unfinished import unfinished
from webapp.paging import Limit, Sorted
from webapp.problems import Problem
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.projects.teams import people_of_teams
from webapp.rest import ErrorAnswer, Strict
from webapp.videos.access import role_for

router = Router(tags=["jobs"])

UserId = Annotated[int, Field(ge=1)]
TeamId = Annotated[int, Field(ge=1)]
Ids = Annotated[list[int], Field(max_length=10_000)]


class JobFilter(Schema):
    """The filter and the order of a list of jobs. `assignee` is "me", "none" or the id of a person."""

    project: int | None = None
    video: int | None = None
    assignee: Annotated[str, Field(pattern=r"^(me|none|[0-9]{1,18})$")] | None = None
    state: JobStateName | None = None
    stage: StageName | None = None
    due: date | None = None  # The jobs that are due on this day or before.
    order: Order = "queue"
    after: int | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class WorkPart(Schema):
    """Says which part of each list of a queue is wanted. `jobs_after` is the value of `next_jobs` in the part before,
    and the other two likewise.
    """

    limit: Limit = IN_QUEUE
    jobs_after: int | None = None
    reviews_after: int | None = None
    pools_after: int | None = None


class JobPatch(Strict):
    """The fields to change. Those that are not given stay; null takes a person or a due date away."""

    edition: int
    assignee: UserId | None = None
    reviewer: UserId | None = None
    priority: Priority | None = None
    due: date | None = None
    instructions: Instructions | None = None


class MoveBody(Strict):
    action: ActionName
    edition: int
    note: Note = ""
    pins: Annotated[list[PinBody], Field(max_length=200)] = []  # Only with the action "reject".


class CutBody(Strict):
    """How to cut a video: exactly one of `length`, `at_cuts` and `ranges`. `overlap` is a number of frames."""

    length: Annotated[int, Field(ge=1)] | None = None
    at_cuts: bool = False
    ranges: Annotated[list[Span], Field(min_length=1, max_length=cutting.MOST_JOBS)] | None = None
    overlap: FrameIndex = 0


class DealBody(Strict):
    """The people and teams who get jobs that nobody has. `videos` and `jobs` restrict which; null: no restriction."""

    people: Annotated[list[UserId], Field(max_length=500)] = []
    teams: Annotated[list[TeamId], Field(max_length=100)] = []  # Those of them who can have jobs in the project.
    videos: Ids | None = None
    jobs: Ids | None = None
    most_open: Annotated[int, Field(ge=1)] | None = None


class DealtJob(Schema):
    job: int
    assignee: int


class SampleBody(Strict):
    """The share (0..1) of the finished jobs, or of the frames of each of them, that a reviewer is to look at."""

    share: Annotated[float, Field(gt=0, le=1)]
    of: Of = "jobs"
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    reviewer: UserId | None = None


class Sample(Schema):
    """The jobs that were drawn for review. The same `seed` draws the same sample from the same jobs."""

    seed: int
    jobs: list[JobInfo]


@router.get("/jobs", response={200: JobPage, (400, 403, 404): ErrorAnswer})
def list_jobs(request: HttpRequest, wanted: Query[JobFilter]) -> JobPage:
    """Return a part of the list of jobs. `after` is the `next` of the part before.

    The order "quality" sorts by flags and J&F, which only reviewers see: it needs `project`, and the role reviewer
    in that project.
    """
    user = signed_in(request)
    if wanted.order == "quality":
        if wanted.project is None:
            raise Problem("no_project", "Say of which project: jobs are sorted by quality in one.", field="project")
        project_for(user, wanted.project, Role.REVIEWER)
    seen = jobs_of(user)
    if wanted.project is not None:
        seen = seen.filter(video__project=wanted.project)
    jobs = seen
    columns = {"video": wanted.video, "state": wanted.state, "stage": wanted.stage}
    jobs = jobs.filter(**{name: value for name, value in columns.items() if value is not None})
    if wanted.project is not None:
        project_for(user, wanted.project)
    if wanted.video is not None:
        role_for(user, wanted.video)
    match wanted.assignee:
        case None:
            pass
        case "none":
            jobs = jobs.filter(assignee=None)
        case "me":
            jobs = jobs.filter(assignee=user)
        case number:
            jobs = jobs.filter(assignee=int(number))
    if wanted.due is not None:
        jobs = jobs.filter(due__lte=wanted.due)
    return page_of(user, jobs, wanted.order, wanted.after, wanted.limit, seen)


@router.get("/jobs/{int:job_id}", response={200: JobInfo, 404: ErrorAnswer})
def get_job(request: HttpRequest, job_id: int) -> JobInfo:
    user = signed_in(request)
    return job_info(user, job_for(user, job_id).pk)


@router.patch("/jobs/{int:job_id}", response={200: JobInfo, (400, 404): ErrorAnswer, 409: JobError})
def change_job(request: HttpRequest, job_id: int, body: JobPatch) -> JobInfo:
    """Choose the assignee or the reviewer of a job, or change its priority, due date or instructions."""
    user = signed_in(request)
    given = {name: getattr(body, name) for name in body.model_fields_set - {"edition"}}
    # Null means the same as a field that is not given, where a job cannot do without.
    changed = {name: value for name, value in given.items() if value is not None or name in NULLABLE}
    assigning.change_job(by=user, job_id=job_id, edition=body.edition, changed=changed)
    return job_info(user, job_id)


NULLABLE = ("assignee", "reviewer", "due")


@router.post("/jobs/{int:job_id}/moves", response={200: JobInfo, (400, 403, 404): ErrorAnswer, 409: JobError})
def move_job(request: HttpRequest, job_id: int, body: MoveBody) -> JobInfo:
    """Start, submit, accept or reject a job, or take such a move back.

    If the job was changed meanwhile, or is in no state for the action, the error (409) has the job as it stands now.
    """
    user = signed_in(request)
    moves.move_job(
        by=user,
        job_id=job_id,
        action=Action(body.action),
        edition=body.edition,
        note=body.note,
        pins=[pin.pin() for pin in body.pins],
    )
    return job_info(user, job_id)


@router.get("/jobs/{int:job_id}/events", response={200: list[JobEventInfo], (400, 404): ErrorAnswer})
def list_job_events(
    request: HttpRequest, job_id: int, part: Query[Sorted], response: HttpResponse
) -> list[JobEventInfo]:
    """Return what happened to a job, oldest first."""
    events = events_of(job_for(signed_in(request), job_id))
    return [event_info(event) for event in part.page(events, "pk", request, response)]


@router.get("/jobs/{int:job_id}/unfinished", response={200: Unfinished, 404: ErrorAnswer})
def get_unfinished(request: HttpRequest, job_id: int) -> Unfinished:
    """Return what is left to do before the job is submitted."""
    return unfinished(job_for(signed_in(request), job_id))


@router.get("/videos/{int:video_id}/leases", response={200: list[LeaseInfo], 404: ErrorAnswer})
def list_leases(request: HttpRequest, video_id: int) -> list[LeaseInfo]:
    """Return who holds the lease of which object of a video. Drawing takes it for 30 s after each stroke."""
    role_for(signed_in(request), video_id)
    return leases_of(video_id)


@router.post("/videos/{int:video_id}/jobs", response={201: list[JobInfo], (400, 404, 409): ErrorAnswer})
def cut_video(request: HttpRequest, video_id: int, body: CutBody) -> Status[list[JobInfo]]:
    """Cut a video into parts with a job each, instead of its present jobs. Refused once any of these has been begun."""
    user = signed_in(request)
    made = cutting.cut_video(
        by=user,
        video_id=video_id,
        length=body.length,
        at_cuts=body.at_cuts,
        ranges=body.ranges,
        overlap=body.overlap,
    )
    return Status(201, job_infos(user, [job.pk for job in made]))


@router.post("/projects/{int:project_id}/jobs/deal", response={200: list[DealtJob], (400, 404): ErrorAnswer})
def deal_jobs(request: HttpRequest, project_id: int, body: DealBody) -> list[assigning.Dealt]:
    """Give jobs that nobody has to people, evenly. The answer lists what was dealt; the rest stays in the pool."""
    by = signed_in(request)
    return assigning.deal(
        by=by,
        project_id=project_id,
        people=[*body.people, *(people_of_teams(by, project_id, body.teams) if body.teams else ())],
        videos=body.videos,
        jobs=body.jobs,
        most_open=body.most_open,
    )


@router.post("/projects/{int:project_id}/jobs/take", response={200: JobInfo, (404, 409): ErrorAnswer})
def take_job(request: HttpRequest, project_id: int) -> JobInfo:
    """Assign the first job in the queue that is still free to the person who asks."""
    user = signed_in(request)
    return job_info(user, assigning.take_one(by=user, project_id=project_id).pk)


@router.post("/projects/{int:project_id}/review-sample", response={200: Sample, (400, 404): ErrorAnswer})
def draw_sample(request: HttpRequest, project_id: int, body: SampleBody) -> Sample:
    """Send a sample of the finished jobs, or of the frames of each of them, to review."""
    user = signed_in(request)
    seed = secrets.randbelow(1 << 31) if body.seed is None else body.seed
    drawn = sampling.draw_sample(
        by=user, project_id=project_id, share=body.share, of=body.of, seed=seed, reviewer_id=body.reviewer
    )
    return Sample(seed=seed, jobs=job_infos(user, [job.pk for job in drawn]))


@router.get("/me/work", response={200: Work, 404: ErrorAnswer})
def get_my_work(request: HttpRequest, part: Query[WorkPart]) -> Work:
    """Return the queue of the person who asks: what to annotate, what to review, and how much there is to take."""
    return work_of(signed_in(request), **part.dict())
