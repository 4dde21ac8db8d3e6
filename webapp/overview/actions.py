"""Carries out one action on many videos of a project.

An action that is refused for one video changes none of them. If the reason came up only while the action was under way,
the error says how many were changed before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.head import hold_all
from webapp.audit.entries import Thing, record
from webapp.jobs.assigning import annotator_of, change_job, check_due, reviewer_of
from webapp.jobs.models import Job, Stage
from webapp.overview.copying import copy_videos
from webapp.overview.moving import check_may_leave, check_room, move_videos
from webapp.problems import NotFound, Problem
from webapp.projects.access import require
from webapp.projects.models import Role
from webapp.videos.access import videos_of
from webapp.videos.editing import delete_video
from webapp.videos.models import Video


class Action(StrEnum):
    ASSIGN = "assign"
    REVIEWER = "reviewer"
    PRIORITY = "priority"
    DUE = "due"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    DELETE = "delete"
    MOVE = "move"
    COPY = "copy"


ON_JOBS = (Action.ASSIGN, Action.REVIEWER, Action.PRIORITY, Action.DUE)
BATCH = 25  # The number of videos that one transaction changes.


@dataclass(frozen=True)
class Values:
    """The value that an action needs: a person (None: nobody), a priority, a due date (None: no date), or a project.

    The project is the one to which videos are moved or copied. `labels` maps the ids of the labels that objects have to
    the ids of the labels that they get there (None: no label).
    """

    person: int | None = None
    priority: int | None = None
    due: date | None = None
    project: int | None = None
    labels: Mapping[int, int | None] = field(default_factory=dict)


def act_on_many(*, by: User, project_id: int, ids: Sequence[int], action: Action, values: Values) -> int:
    """Do `action` to the videos with these ids. Return how many videos, or jobs of them, were changed.

    What can be refused is refused before anything is changed. Then each transaction changes at most `BATCH` videos, and
    locks them in the order of their ids, so that people who draw in them need not wait for all, and two actions at once
    never deadlock. Raises NotFound if a video is not one of the project's that `by` sees, and what the action itself
    raises. If somebody changes something meanwhile that makes a later transaction fail, as by removing the person who
    gets the jobs, the error has `changed`, the number of what was changed before. Within a transaction of the caller it
    has none, because that is rolled back.
    """
    require(by, project_id, Role.MANAGER)
    wanted = sorted(set(ids))
    seen = videos_of(by).filter(project_id=project_id).select_related("upload").order_by("pk")
    videos = list(seen.filter(pk__in=wanted))
    if len(videos) < len(wanted):
        raise NotFound("video")
    _check(by, project_id, videos, action, values)
    changed = 0
    for start in range(0, len(wanted), BATCH):
        try:
            with transaction.atomic():
                hold_all(wanted[start : start + BATCH])
                # They are read again, because somebody may have moved or deleted some meanwhile.
                changed += _act(by, list(seen.filter(pk__in=wanted[start : start + BATCH])), action, values)
        except Problem as problem:
            # A call with an Idempotency-Key is one transaction, which ends without any change.
            if changed and not transaction.get_connection().in_atomic_block:
                _say_what_was_changed(problem, changed, action)
            raise
    return changed


def _say_what_was_changed(problem: Problem, changed: int, action: Action) -> None:
    what = "job" if action in ON_JOBS else "video"
    were = f"{changed} {what} was" if changed == 1 else f"{changed} {what}s were"
    problem.text = f"{problem.text} Before that, {were} changed. Look at the list, then do it again for the others."
    problem.extra["changed"] = changed


def _check(by: User, project_id: int, videos: Sequence[Video], action: Action, values: Values) -> None:
    """Raise the error with which the action would be refused, if it would be."""
    match action:
        case Action.ASSIGN if values.person is not None:
            annotator_of(project_id, values.person)
        case Action.REVIEWER if values.person is not None:
            reviewer_of(project_id, values.person)
        case Action.PRIORITY if values.priority is None:
            raise Problem("no_priority", "Say which priority the jobs get, from -9 to 9.", field="priority")
        case Action.DUE if values.due is not None:
            check_due(values.due)
        case Action.MOVE | Action.COPY:
            if values.project is None:
                verb = "go to" if action is Action.MOVE else "are copied into"
                raise Problem("no_project", f"Say which project the videos {verb}.", field="project")
            target = check_may_leave(by, videos, values.project)
            check_room(target, videos if action is Action.COPY else [v for v in videos if v.project_id != target.pk])


def _act(by: User, videos: Sequence[Video], action: Action, values: Values) -> int:
    match action:
        case Action.ASSIGN | Action.REVIEWER:
            return _change_jobs(by, videos, "assignee" if action is Action.ASSIGN else "reviewer", values.person)
        case Action.PRIORITY:
            return _change_jobs(by, videos, "priority", values.priority)
        case Action.DUE:
            return _change_jobs(by, videos, "due", values.due)
        case Action.ARCHIVE | Action.UNARCHIVE:
            return _archive(by, videos, archived=action is Action.ARCHIVE)
        case Action.DELETE:
            for video in videos:
                delete_video(by=by, video_id=video.pk)
        case Action.MOVE:
            move_videos(by=by, videos=videos, to=values.project or 0, labels=values.labels)
            return sum(video.project_id != values.project for video in videos)
        case Action.COPY:
            copy_videos(by=by, videos=videos, to=values.project or 0, labels=values.labels)
    return len(videos)


def _change_jobs(by: User, videos: Sequence[Video], column: str, value: int | date | None) -> int:
    """Change one column of all jobs of these videos that are not accepted yet. Return how many jobs were changed."""
    jobs = Job.objects.filter(video__in=[video.pk for video in videos]).exclude(stage=Stage.ACCEPTANCE)
    rows = [(job.pk, job.edition) for job in jobs.order_by("pk") if _differs(job, column, value)]
    for pk, edition in rows:
        change_job(by=by, job_id=pk, edition=edition, changed={column: value})
    return len(rows)


def _differs(job: Job, column: str, value: int | date | None) -> bool:
    name = f"{column}_id" if column in ("assignee", "reviewer") else column
    return bool(getattr(job, name) != value)


def _archive(by: User, videos: Sequence[Video], *, archived: bool) -> int:
    changed = [video for video in videos if (video.archived_at is not None) != archived]
    Video.objects.filter(pk__in=[video.pk for video in changed]).update(archived_at=Now() if archived else None)
    for video in changed:
        action = "video.archive" if archived else "video.unarchive"
        record(by, action, Thing("video", video.pk, video.name), project_id=video.project_id)
    return len(changed)
