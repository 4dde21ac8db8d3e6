"""Turns rows of jobs into the schemas that people receive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.aggregates import Count
from django.db.models.functions import Coalesce

from webapp.accounts.models import User
from webapp.annotation.models import AcceptedFrame
from webapp.annotation.state import person
from webapp.jobs.access import parts_of
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.schemas import ActionName, JobEventInfo, JobInfo, JobNote, JobStateName, StageName
from webapp.jobs.states import Action, allowed, place_of
from webapp.projects.access import allows, memberships_of
from webapp.projects.models import Role

# The events after which it is somebody else's turn. "hold" is the check that sends a job back (webapp.quality).
HAND_OVERS = (
    *(action.value for action in (Action.SUBMIT, Action.ACCEPT, Action.REJECT, Action.REOPEN, Action.RETRACT)),
    "hold",
)


def with_figures(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Load, in one query, what `job_infos` shows of each job."""
    accepted = AcceptedFrame.objects.filter(
        video=OuterRef("video"), frame__gte=OuterRef("first"), frame__lte=OuterRef("last")
    )
    count = accepted.order_by().values("video").annotate(count=Count("pk")).values("count")
    handed_over = JobEvent.objects.filter(job=OuterRef("pk"), action__in=HAND_OVERS).order_by("-pk").values("pk")
    return jobs.select_related("video__project", "assignee", "reviewer").annotate(
        accepted_count=Coalesce(Subquery(count), 0), last_hand_over=Subquery(handed_over[:1])
    )


def job_infos(user: User, jobs: QuerySet[Job] | Iterable[int]) -> list[JobInfo]:
    """Describe jobs for `user`, in three queries. `jobs` is a query, or the ids of jobs, whose order is kept."""
    if isinstance(jobs, QuerySet):
        rows = list(with_figures(jobs))
    else:
        ids = list(jobs)
        found = {job.pk: job for job in with_figures(Job.objects.filter(pk__in=ids))}
        rows = [found[pk] for pk in ids if pk in found]
    roles = dict(memberships_of(user).values_list("project_id", "role"))
    notes = _notes(rows)
    return [_info(user, roles.get(job.video.project_id, ""), job, notes.get(job.pk)) for job in rows]


def _notes(jobs: list[Job]) -> dict[int, JobNote]:
    """Return by job what was written when it was handed over last: by its annotator, a reviewer or the check."""
    ids = [getattr(job, "last_hand_over") for job in jobs]  # noqa: B009 - an annotation, unknown to the model's type
    events = JobEvent.objects.filter(pk__in=[pk for pk in ids if pk is not None]).exclude(note="").select_related("by")
    return {
        event.job_id: JobNote(
            text=event.note, by=None if event.action == "hold" else person(event.by), at=event.at.isoformat()
        )
        for event in events
    }


def job_info(user: User, job_id: int) -> JobInfo:
    (info,) = job_infos(user, [job_id])
    return info


def _info(user: User, role: str, job: Job, note: JobNote | None) -> JobInfo:
    reviews = bool(role) and allows(role, Role.REVIEWER)
    parts = parts_of(user, role, job) if role else frozenset()
    return JobInfo(
        id=job.pk,
        video=job.video_id,
        video_name=job.video.name,
        video_frames=job.video.frame_count,
        project=job.video.project_id,
        project_name=job.video.project.name,
        first=job.first,
        last=job.last,
        position=job.position,
        assignee=None if job.assignee is None else person(job.assignee),
        reviewer=None if job.reviewer is None else person(job.reviewer),
        stage=cast(StageName, job.stage),
        state=cast(JobStateName, job.state),
        priority=job.priority,
        due=None if job.due is None else job.due.isoformat(),
        instructions=job.instructions,
        note=note,
        edition=job.edition,
        attempts=job.attempts,
        j=job.j if reviews else None,
        f=job.f if reviews else None,
        jf=job.jf if reviews else None,
        flagged=job.flagged if reviews else None,
        sample=job.sample if reviews else None,
        accepted=getattr(job, "accepted_count"),  # noqa: B009 - an annotation, unknown to the model's type
        created_at=job.created_at.isoformat(),
        updated_at=job.updated_at.isoformat(),
        moves=[cast(ActionName, action.value) for action in allowed(parts, place_of(job))],
    )


def events_of(job: Job) -> QuerySet[JobEvent]:
    """Return what happened to a job, oldest first."""
    return JobEvent.objects.filter(job=job).select_related("by")


def event_info(event: JobEvent) -> JobEventInfo:
    return JobEventInfo(
        action=event.action,
        by=person(event.by),
        from_stage=cast(StageName, event.from_stage),
        from_state=cast(JobStateName, event.from_state),
        to_stage=cast(StageName, event.to_stage),
        to_state=cast(JobStateName, event.to_state),
        note=event.note,
        details=event.details,
        at=event.at.isoformat(),
    )
