"""Moves videos with their rounds to another project. The labels of their objects become labels of that project."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.models import Object
from webapp.audit.entries import Thing, record
from webapp.jobs.models import Job
from webapp.jobs.moves import save, take_from
from webapp.jobs.states import place_of
from webapp.overview.label_mapping import Given, label_mapping
from webapp.problems import Problem
from webapp.projects.access import allows, project_for
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video, VideoState
from webapp.videos.quota import alone, room_for


@transaction.atomic
def move_videos(*, by: User, videos: Sequence[Video], to: int, labels: Given | None = None) -> None:
    """Move ready videos of one project to the project with the id `to`. `by` must be a manager of both.

    `labels` says which labels the objects get there (label_mapping.py). Assignees and reviewers who could not have the
    job there lose it. Raises NotFound, Forbidden, or Problem: "not_ready" (409) for a video that is not imported,
    "quota" (409) if they do not fit into the quota of the other project, "unknown_label".
    """
    target = check_may_leave(by, videos, to)
    check_room(target, [video for video in videos if video.project_id != target.pk])
    for video in videos:
        if video.project_id != target.pk:
            _move(by, video, target, labels or {})


def check_may_leave(by: User, videos: Sequence[Video], to: int) -> Project:
    """Return the project that videos go to. Raises Problem "not_ready" (409), NotFound or Forbidden."""
    target = project_for(by, to, Role.MANAGER)
    for project_id in {video.project_id for video in videos}:
        project_for(by, project_id, Role.MANAGER)
    late = next((video for video in videos if video.state != VideoState.READY), None)
    if late is not None:
        raise Problem("not_ready", f"{late.name} is not imported yet. Wait until it is.", 409)
    return target


@transaction.atomic
def check_room(target: Project, videos: Sequence[Video], by: User | None = None) -> None:
    """Raise Problem "quota" (409) if videos do not fit into the quota of a project or, if `by` is given, into that of
    `by`.
    """
    coming = [video for video in videos if not video.is_copy]
    alone()
    frames, size = sum(video.frame_count for video in coming), sum(video.size_bytes for video in coming)
    room_for(target, by).check(frames=frames, size=size)


def _move(by: User, video: Video, target: Project, labels: Given) -> None:
    hold(video.pk)
    _map_labels(video, target, labels)
    _keep_possible_jobs(by, video, target)
    thing, source = Thing("video", video.pk, video.name), video.project_id
    Video.objects.filter(pk=video.pk).update(project=target, upload=None)
    record(by, "video.move", thing, project_id=source, to=target.name)
    record(by, "video.move", thing, project_id=target.pk, origin=source)


def _map_labels(video: Video, target: Project, labels: Given) -> None:
    """Give each object the label of the target that it is mapped to."""
    mapping = label_mapping([video.pk], target, labels)
    rows = list(Object.objects.filter(video=video, label__isnull=False))
    for row in rows:
        row.label_id = mapping[row.label_id or 0]
    Object.objects.bulk_update(rows, ["label"])
    changes.objects_changed(rows)


def _keep_possible_jobs(by: User, video: Video, target: Project) -> None:
    """Take jobs from people who could not have them in the target project."""
    roles = dict(Membership.objects.filter(project=target).values_list("user_id", "role"))
    for job in Job.objects.filter(video=video).select_related("video__project"):
        before, lost = place_of(job), []
        for column, role in (("assignee", Role.ANNOTATOR), ("reviewer", Role.REVIEWER)):
            person = getattr(job, f"{column}_id")
            if person is not None and (person not in roles or not allows(roles[person], role)):
                take_from(job, column)
                lost.append(column)
        if lost:
            save(job, by, "assign", before, details=dict.fromkeys(lost))
    changes.jobs_changed(video.pk)
