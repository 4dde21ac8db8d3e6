"""Does the same to many videos of a project at once: all of them, or none if something is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.jobs.assigning import change_job
from webapp.jobs.models import Job, Stage
from webapp.overview.moving import move_videos
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


@dataclass(frozen=True)
class Values:
    """What an action needs: a person (None: nobody), a priority, a due date (None: none), or a project to move to."""

    person: int | None = None
    priority: int | None = None
    due: date | None = None
    project: int | None = None


@transaction.atomic
def act_on_many(*, by: User, project_id: int, ids: Sequence[int], action: Action, values: Values) -> int:
    """Do `action` to the videos with these ids. Return how many videos, or jobs of them, were changed.

    Raises NotFound if a video is not one of the project's that `by` sees, and what the action itself raises.
    """
    require(by, project_id, Role.MANAGER)
    wanted = set(ids)
    videos = list(videos_of(by).filter(project_id=project_id, pk__in=wanted).select_related("upload").order_by("pk"))
    if len(videos) < len(wanted):
        raise NotFound("video")
    match action:
        case Action.ASSIGN:
            return _change_jobs(by, videos, "assignee", values.person)
        case Action.REVIEWER:
            return _change_jobs(by, videos, "reviewer", values.person)
        case Action.PRIORITY:
            if values.priority is None:
                raise Problem("no_priority", "Say which priority the jobs get, from -9 to 9.", field="priority")
            return _change_jobs(by, videos, "priority", values.priority)
        case Action.DUE:
            return _change_jobs(by, videos, "due", values.due)
        case Action.ARCHIVE | Action.UNARCHIVE:
            return _archive(by, videos, archived=action is Action.ARCHIVE)
        case Action.DELETE:
            for video in videos:
                delete_video(by=by, video_id=video.pk)
        case Action.MOVE:
            if values.project is None:
                raise Problem("no_project", "Say which project the videos go to.", field="project")
            move_videos(by=by, videos=videos, to=values.project)
    return len(videos)


def _change_jobs(by: User, videos: Sequence[Video], column: str, value: int | date | None) -> int:
    """Change one column of all jobs of these videos that are not accepted yet."""
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
