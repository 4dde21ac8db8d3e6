"""Assigns jobs to people: by hand, by dealing many at once, and by taking one from the pool. Also sets due dates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.head import hold, hold_all
from webapp.jobs.models import Job
from webapp.jobs.moves import PEOPLE, address_of, check_edition, held_job, name_of, save, take_from
from webapp.jobs.queue import IN_POOL, OPEN, in_order
from webapp.jobs.states import place_of
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.problems import Problem
from webapp.projects.access import allows, project_for, require
from webapp.projects.models import Membership, Project, Role

BATCH = 50  # The number of jobs that one transaction deals.


@dataclass(frozen=True)
class Dealt:
    """A job that was given to somebody when many jobs were shared out among people."""

    job: int
    assignee: int


@transaction.atomic
def change_job(*, by: User, job_id: int, edition: int, changed: dict[str, object]) -> Job:
    """Change the given fields of a job: assignee, reviewer (ids of members or None), priority, due, instructions.

    A job that was begun and that is taken from its assignee is new again, so that somebody else can take it.

    Raises NotFound or Forbidden unless `by` is a manager; Problem "job_changed" (409), "not_a_member",
    "not_an_annotator", "not_a_reviewer" or "due_in_past".
    """
    job = held_job(by, job_id)
    require(by, job.video.project_id, Role.MANAGER, what="job")
    check_edition(by, job, edition)
    old, before = _values(job, changed), place_of(job)
    _apply(job, changed)
    new = {name: value for name, value in _values(job, changed).items() if value != old[name]}
    if not new:
        return job
    if {"due", "assignee"} & new.keys():
        job.due_told = False
    action = "assign" if {"assignee", "reviewer"} & new.keys() else "change"
    save(job, by, action, before, details=new)
    if "assignee" in new:
        _tell_assignee(job.video.project_id, job.assignee_id, [job], by)
    return job


def assign(job: Job, user: User, by: User) -> None:
    """Give a job to a person and tell them. The caller has locked the head of its video."""
    job.assignee = user
    save(job, by, "assign", place_of(job), details={"assignee": user.pk})
    _tell_assignee(job.video.project_id, user.pk, [job], by)


def annotator_of(project_id: int, user_id: int) -> User:
    """Return a member who may have a job. Raises Problem "not_a_member" or "not_an_annotator"."""
    return _member(project_id, user_id, Role.ANNOTATOR, "people")


def reviewer_of(project_id: int, user_id: int) -> User:
    """Return a member who may review a job. Raises Problem "not_a_member" or "not_a_reviewer"."""
    return _member(project_id, user_id, Role.REVIEWER, "reviewer")


def _tell_assignee(project_id: int, user_id: int | None, jobs: Sequence[Job], by: User) -> None:
    """Tell a person which job they got or, if they got several, how many."""
    many = f"You got {len(jobs)} jobs in {jobs[0].video.project.name}." if len(jobs) > 1 else ""
    text = many or f"{name_of(jobs[0])} is your job now."
    link = address_of(jobs[0]) if len(jobs) == 1 else "/work"
    notify([user_id], Kind.ASSIGNED, text, link=link, project_id=project_id, by=by)


def _values(job: Job, fields: Iterable[str]) -> dict[str, int | str | None]:
    """Return the values of fields of a job as JSON has them: people by their ids, dates as YYYY-MM-DD."""
    found: dict[str, int | str | None] = {}
    for name in fields:
        value = getattr(job, f"{name}_id" if name in PEOPLE else name)
        found[name] = value if value is None or isinstance(value, int | str) else str(value)
    return found


def _apply(job: Job, changed: dict[str, object]) -> None:
    project_id = job.video.project_id
    for name, value in changed.items():
        match name, value:
            case "assignee", int():
                job.assignee = _member(project_id, value, Role.ANNOTATOR, "assignee")
            case "reviewer", int():
                job.reviewer = _member(project_id, value, Role.REVIEWER, "reviewer")
            case "due", date():
                check_due(value)
                job.due = value
            case "assignee" | "reviewer", None:
                if getattr(job, f"{name}_id") is not None:  # A job that nobody has may be in work all the same.
                    take_from(job, name)
            case _:
                setattr(job, name, value)


def check_due(due: date) -> None:
    if due < timezone.localdate():
        raise Problem("due_in_past", f"{due.isoformat()} has passed. Choose today or a later day.", field="due")


def _member(project_id: int, user_id: int, at_least: Role, field: str) -> User:
    found = Membership.objects.filter(project_id=project_id, user_id=user_id, user__is_active=True)
    member = found.select_related("user").first()
    if member is None:
        text = "This person is no member of the project. Invite them first."
        raise Problem("not_a_member", text, field=field)
    if not allows(member.role, at_least):
        text = f"{member.user.shown_name} is {member.role}; this needs the role {at_least.value}."
        raise Problem(f"not_{'an' if at_least == Role.ANNOTATOR else 'a'}_{at_least.value}", text, field=field)
    return member.user


def deal(
    *,
    by: User,
    project_id: int,
    people: Sequence[int],
    videos: Sequence[int] | None = None,
    jobs: Sequence[int] | None = None,
    most_open: int | None = None,
) -> list[Dealt]:
    """Give jobs that nobody has to people, evenly: the next job goes to the person with the fewest open ones.

    `videos` and `jobs` restrict which jobs of the project are dealt (None: no restriction). Nobody gets more than
    `most_open` open jobs; the rest stays in the pool. A transaction deals at most `BATCH` jobs. Return what was dealt.
    """
    project_for(by, project_id, Role.MANAGER)
    if not people:
        raise Problem("nobody_chosen", "Choose at least one person, or a team with people who can have jobs here.")
    users = [_member(project_id, user_id, Role.ANNOTATOR, "people") for user_id in dict.fromkeys(people)]
    pool = Job.objects.filter(IN_POOL, video__project_id=project_id)
    if videos is not None:
        pool = pool.filter(video__in=videos)
    if jobs is not None:
        pool = pool.filter(pk__in=jobs)
    dealt: defaultdict[int, list[Job]] = defaultdict(list)
    is_left = True
    while is_left:
        batch, is_left = _deal_some(by, project_id, users, pool, most_open)
        for user_id, job in batch:
            dealt[user_id].append(job)
    with transaction.atomic():
        for user_id, got in dealt.items():
            _tell_assignee(project_id, user_id, got, by)
    return [Dealt(job.pk, user_id) for user_id, got in dealt.items() for job in got]


@transaction.atomic
def _deal_some(
    by: User, project_id: int, users: Sequence[User], pool: QuerySet[Job], most_open: int | None
) -> tuple[list[tuple[int, Job]], bool]:
    """Deal at most `BATCH` jobs of the pool. Return them with the ids of who got them, and whether more may be left.

    The heads of all their videos are locked at once, in the order of their ids: two deals, or a deal and an action on
    many videos, never wait for each other.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project_id)  # One deal of a project at a time.
    load = _open_jobs(project_id, users)
    chosen = list(in_order(pool, "queue").values_list("pk", "video")[:BATCH])
    hold_all({video_id for _, video_id in chosen})
    dealt: list[tuple[int, Job]] = []
    for job_id, _ in chosen:
        user = min(
            users, key=lambda candidate: load[candidate.pk]
        )  # Of several with as few jobs, the first one in `people`.
        if most_open is not None and load[user.pk] >= most_open:
            return dealt, False
        if (job := _give(job_id, user, by)) is not None:
            load[user.pk] += 1
            dealt.append((user.pk, job))
    return dealt, bool(chosen)  # Others may have taken the whole batch before its heads were locked.


def _open_jobs(project_id: int, users: Sequence[User]) -> Counter[int]:
    rows = Job.objects.filter(OPEN, video__project_id=project_id, assignee__in=users).values("assignee")
    return Counter(dict(rows.annotate(count=Count("pk")).order_by().values_list("assignee", "count")))


def _give(job_id: int, user: User, by: User) -> Job | None:
    """Give a job of the pool to `user` and return it. Return None if somebody else has taken it meanwhile."""
    video_id = Job.objects.values_list("video_id", flat=True).get(pk=job_id)
    hold(video_id)
    job = Job.objects.filter(IN_POOL, pk=job_id).select_related("video__project").first()
    if job is None:
        return None
    job.assignee = user
    save(job, by, "assign", place_of(job), details={"assignee": user.pk})
    return job


def take_one(*, by: User, project_id: int) -> Job:
    """Give the first job of the pool to the person who asks. Raises Problem "pool_empty" (409).

    Each try is a transaction of its own: whoever kept the head of one video locked while waiting for that of another
    could wait for a deal that waits for the first one.

    Raises NotFound or Forbidden if the person may not have jobs in the project.
    """
    require(by, project_id, Role.ANNOTATOR)
    pool = in_order(Job.objects.filter(IN_POOL, video__project_id=project_id), "queue")
    for job_id in pool.values_list("pk", flat=True):
        with transaction.atomic():
            job = _give(job_id, by, by)
        if job is not None:
            return job
    raise Problem("pool_empty", "There is no job to take.", 409)
