"""Sorts lists of jobs and returns them in parts, and puts together the queue of a person."""

from __future__ import annotations

from datetime import date
from typing import Literal

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from webapp.accounts.models import User
from webapp.jobs.access import jobs_of
from webapp.jobs.describe import job_infos
from webapp.jobs.models import Job, JobState, Stage
from webapp.jobs.schemas import JobPage, Pool, Work
from webapp.problems import NotFound
from webapp.projects.access import allows, memberships_of
from webapp.projects.models import Role

Order = Literal["queue", "due", "-updated", "id", "quality"]
# A minus sign means descending. Each order ends with a column that no two jobs share.
ORDERS: dict[str, tuple[str, ...]] = {
    "queue": ("rank", "-priority", "due_or_never", "video_id", "position", "pk"),
    "due": ("due_or_never", "-priority", "pk"),
    "-updated": ("-updated_at", "-pk"),
    "id": ("pk",),
    "quality": ("not_flagged", "jf_or_none", "pk"),  # Only for reviewers of a project.
}
IN_QUEUE = 100  # The usual length of each list of a queue.
NO_JF = 2.0  # Sorts jobs that were not compared with ground truth behind all others, whose J&F is 1 at most.
SHOWN = Q(video__deleted_at=None, video__archived_at=None, video__project__deleted_at=None)
OPEN = SHOWN & Q(stage=Stage.ANNOTATION) & ~Q(state=JobState.COMPLETED)
IN_POOL = Q(stage=Stage.ANNOTATION, state__in=(JobState.NEW, JobState.REJECTED), assignee=None) & Q(
    video__deleted_at=None, video__archived_at=None, video__is_copy=False
)


def in_order(jobs: QuerySet[Job], order: str) -> QuerySet[Job]:
    """Sort jobs. `rank` puts those that were sent back before those that were begun, and these before new ones.

    The order "quality" begins with flagged jobs, then goes on from the lowest J&F; jobs without a J&F are last.
    """
    rank = Case(
        When(stage=Stage.ANNOTATION, state=JobState.REJECTED, then=Value(0)),
        When(state=JobState.IN_PROGRESS, then=Value(1)),
        When(state=JobState.NEW, then=Value(2)),
        default=Value(3),
    )
    keys = {
        "rank": rank,
        "due_or_never": Coalesce("due", Value(date.max)),
        "not_flagged": Case(When(flagged=True, then=Value(0)), default=Value(1)),
        "jf_or_none": Coalesce("jf", Value(NO_JF)),
    }
    return jobs.annotate(**keys).order_by(*ORDERS[order])


def page_of(user: User, jobs: QuerySet[Job], order: str, after: int | None, limit: int, seen: QuerySet[Job]) -> JobPage:
    """Return at most `limit` of `jobs` that follow the job with the id `after` in this order.

    Raises NotFound if that job is not among `seen`, because its place in the order would tell the state of a job that
    the person may not see.
    """
    rows = in_order(jobs, order)
    if after is not None:
        rows = rows.filter(_behind(order, after, seen))
    ids = list(rows.values_list("pk", flat=True)[: limit + 1])
    return JobPage(jobs=job_infos(user, ids[:limit]), next=ids[limit - 1] if len(ids) > limit else None)


def _behind(order: str, after: int, seen: QuerySet[Job]) -> Q:
    """Return the condition that a job comes after the job with the id `after`, which must be among `seen`."""
    names = [column.removeprefix("-") for column in ORDERS[order]]
    last = in_order(seen.filter(pk=after), order).values(*names).first()
    if last is None:
        raise NotFound("job")
    found, same = Q(pk__in=[]), Q()
    for column, name in zip(ORDERS[order], names, strict=True):
        found |= same & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": last[name]})
        same &= Q(**{name: last[name]})
    return found


def work_of(
    user: User,
    limit: int = IN_QUEUE,
    *,
    jobs_after: int | None = None,
    reviews_after: int | None = None,
    pools_after: int | None = None,
) -> Work:
    """Return the queue of a person: what to annotate, what to review, and what to take from the pools.

    Each list has at most `limit` entries. It begins after the job or project whose id is given for it, such as
    `jobs_after`. Jobs of archived videos are left out. Raises NotFound for the id of a job or project that the person
    does not see.
    """
    seen = jobs_of(user)
    mine = seen.filter(OPEN, assignee=user)
    reviewers = [role for role in Role if allows(role, Role.REVIEWER)]
    reviewed = memberships_of(user).filter(role__in=reviewers).values("project")
    to_review = seen.filter(
        SHOWN,
        Q(reviewer=user) | (Q(reviewer=None, video__project__in=reviewed) & ~Q(assignee=user)),
        stage=Stage.VALIDATION,
    )
    jobs = page_of(user, mine, "queue", jobs_after, limit, seen)
    reviews = page_of(user, to_review, "queue", reviews_after, limit, seen)
    pools = pools_of(user, limit + 1, pools_after)
    return Work(
        jobs=jobs.jobs,
        reviews=reviews.jobs,
        pools=pools[:limit],
        job_count=mine.count(),
        review_count=to_review.count(),
        next_jobs=jobs.next,
        next_reviews=reviews.next,
        next_pools=pools[limit - 1].project if len(pools) > limit else None,
    )


def pools_of(user: User, limit: int, after: int | None = None) -> list[Pool]:
    """Count the jobs that nobody has, for each of the first `limit` projects by name in which `user` may take one.

    With `after`, these are the projects that follow the one with that id. Raises NotFound if `user` is no member of it.
    """
    may_take = memberships_of(user).exclude(role=Role.VIEWER).values("project")
    waiting = Job.objects.filter(IN_POOL, video__project__in=may_take)
    if after is not None:
        name = memberships_of(user).filter(project=after).values_list("project__name", flat=True).first()
        if name is None:
            raise NotFound("project")
        waiting = waiting.filter(
            Q(video__project__name__gt=name) | Q(video__project__name=name, video__project__gt=after)
        )
    rows = (
        waiting.values("video__project", "video__project__name")
        .annotate(count=Count("pk"))
        .order_by("video__project__name", "video__project")
    )
    return [
        Pool(project=row["video__project"], project_name=row["video__project__name"], jobs=row["count"])
        for row in rows[:limit]
    ]
