"""The list of a project's videos, in pages, with the jobs of each video: filters, orders, and the cards themselves.

The number of queries for a page does not depend on the number of videos: the videos, their jobs, and their counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from django.db.models import Case, Exists, F, FloatField, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Lower
from django.utils import timezone

from webapp import cursor
from webapp.accounts.models import User
from webapp.annotation.models import Object
from webapp.jobs.access import jobs_of
from webapp.jobs.models import Job, JobState
from webapp.videos.access import marking_truth, videos_of
from webapp.videos.models import Video

Order = Literal["added", "name", "worked", "due", "priority", "progress", "frames"]
Due = Literal["overdue", "today", "week", "none"]

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
FINISHED = Q(state=JobState.COMPLETED)  # Accepted, or submitted where nobody reviews.


@dataclass(frozen=True)
class Filter:
    """Which videos of a project are wanted. None, or an empty text, means that this is not restricted.

    Args:
        ids: the ids of videos.
        text: a part of the name.
        state: the state of the import: importing, ready, failed or cancelled.
        stage: a stage that one of the jobs is in.
        job_state: a state that one of the jobs is in; together with `stage`, one job has both.
        assignee: the id of a user, or 0 for jobs that nobody has.
        reviewer: as `assignee`.
        due: when a job that is not finished is due; "none": no such job has a due date.
        label: the id of a label that a present object has.
        truth: whether only videos are wanted whose ground truth the person may see.
        archived: whether archived videos are wanted instead of the others.
    """

    ids: tuple[int, ...] | None = None
    text: str = ""
    state: str | None = None
    stage: str | None = None
    job_state: str | None = None
    assignee: int | None = None
    reviewer: int | None = None
    due: Due | None = None
    label: int | None = None
    truth: bool = False
    archived: bool = False


@dataclass(frozen=True)
class Page:
    """Videos in their order, the jobs of each by its id, and the cursor of the next page (None: this is the last)."""

    videos: list[Video]
    jobs: Mapping[int, Sequence[Job]]
    next: str | None


def chosen(user: User, project_id: int, wanted: Filter) -> QuerySet[Video]:
    """Return the wanted videos of a project that `user` sees, without copies except those that `user` annotates.

    The caller has checked that `user` is a member.
    """
    seen = videos_of(user).filter(project_id=project_id, archived_at__isnull=not wanted.archived)
    seen = seen.filter(Q(is_copy=False) | Q(pk__in=Job.objects.filter(assignee=user).values("video")))
    videos = marking_truth(user, seen)
    if wanted.ids is not None:
        videos = videos.filter(pk__in=wanted.ids)
    if wanted.text:
        videos = videos.filter(name__icontains=wanted.text)
    if wanted.state is not None:
        videos = videos.filter(state=wanted.state)
    of_jobs = _job_conditions(wanted)
    if of_jobs:
        videos = videos.filter(Exists(_jobs().filter(of_jobs)))
    if wanted.due == "none":
        videos = videos.exclude(Exists(_jobs().filter(~FINISHED, due__isnull=False)))
    if wanted.label is not None:
        objects = Object.objects.filter(video=OuterRef("pk"), label=wanted.label, deleted_at=None)
        videos = videos.filter(Exists(objects))
    return videos.filter(Q(shows_truth=True)).exclude(truth_frames=[]) if wanted.truth else videos


def _jobs() -> QuerySet[Job]:
    return Job.objects.filter(video=OuterRef("pk")).order_by()


def _job_conditions(wanted: Filter) -> Q:
    """Return the conditions that one of a video's jobs must fulfil. All must hold for the same job."""
    found = Q()
    if wanted.stage is not None:
        found &= Q(stage=wanted.stage)
    if wanted.job_state is not None:
        found &= Q(state=wanted.job_state)
    for column, person in (("assignee", wanted.assignee), ("reviewer", wanted.reviewer)):
        if person is not None:
            found &= Q(**{f"{column}__isnull": True}) if person == 0 else Q(**{column: person})
    today = timezone.localdate()
    until = {"overdue": today - timedelta(days=1), "today": today, "week": today + timedelta(days=7)}
    if wanted.due in until:
        found &= Q(due__lte=until[wanted.due]) & ~FINISHED
    return found


def page(user: User, videos: QuerySet[Video], order: Order, *, reverse: bool, after: str | None, limit: int) -> Page:
    """Return one page of the list: at most `limit` of `videos`, sorted by `order`, each with the jobs that `user` sees.

    `after` is the cursor that the page before returned; None asks for the first page.
    """
    key, descending = _sort_key(order)
    descending ^= reverse
    name = f"{'-' if descending else ''}{order}"
    rows = videos.annotate(sort_key=key).select_related("worked_by", "head")
    if after is not None:
        rows = cursor.behind(rows, after, name, descending=descending)
    sign = "-" if descending else ""
    found: list[Any] = list(rows.order_by(f"{sign}sort_key", f"{sign}pk")[: limit + 1])
    shown = found[:limit]
    follows = cursor.pack(name, shown[-1].sort_key, shown[-1].pk) if len(found) > limit else None
    return Page(shown, jobs_by_video(user, shown), follows)


def _sort_key(order: Order) -> tuple[Any, bool]:
    """Return the expression that an order sorts by, which is never null, and whether it is descending by default."""
    job: Any = _jobs().values("video")
    match order:
        case "added":
            return F("created_at"), True
        case "name":
            return Lower("name"), False
        case "worked":
            return Coalesce("worked_at", Value(NEVER)), True
        case "due":
            due = job.filter(~FINISHED).annotate(first=Min("due")).values("first")
            return Coalesce(Subquery(due), Value(date.max)), False
        case "priority":
            return Coalesce(Subquery(job.annotate(top=Max("priority")).values("top")), Value(0)), True
        case "progress":
            share = Cast("accepted_count", FloatField()) / F("frame_count")
            return Case(When(frame_count=0, then=Value(0.0)), default=share, output_field=FloatField()), False
        case "frames":
            return F("frame_count"), True


def jobs_by_video(user: User, videos: Sequence[Video]) -> Mapping[int, Sequence[Job]]:
    """Return the jobs of these videos that `user` sees, by the id of the video and in its order. Makes one query."""
    found: dict[int, list[Job]] = defaultdict(list)
    rows = jobs_of(user).filter(video__in=[video.pk for video in videos])
    for job in rows.select_related("assignee", "reviewer").order_by("video", "position", "pk"):
        found[job.video_id].append(job)
    return found


def is_late(job: Job) -> bool:
    return job.due is not None and job.state != JobState.COMPLETED and job.due < timezone.localdate()
