"""Moves videos with their rounds to another project. The labels of their objects become labels of that project."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.models import Object
from webapp.audit.entries import Thing, record
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.projects.access import allows, project_for
from webapp.projects.models import Label, Membership, Project, Role
from webapp.videos.models import Video, VideoState
from webapp.videos.quota import alone, room_for


@transaction.atomic
def move_videos(*, by: User, videos: Sequence[Video], to: int) -> None:
    """Move ready videos of one project to the project with the id `to`. `by` must be a manager of both.

    A label goes to the label of the same name, which is created if the other project has none. Assignees and reviewers
    who could not have the job there lose it. Raises Problem (409): "not_ready" for a video whose
    import has not ended, "quota" if they do not fit into the quota of the other project.
    """
    target = project_for(by, to, Role.MANAGER)
    for video in videos:
        project_for(by, video.project_id, Role.MANAGER)
        if video.state != VideoState.READY:
            raise Problem("not_ready", f"{video.name} is not imported yet. Wait for it, then move it.", 409)
    coming = [video for video in videos if video.project_id != target.pk and not video.is_copy]
    alone()
    room_for(target, None).check(
        frames=sum(video.frame_count for video in coming), size=sum(video.size_bytes for video in coming)
    )
    for video in videos:
        if video.project_id != target.pk:
            _move(by, video, target)


def _move(by: User, video: Video, target: Project) -> None:
    hold(video.pk)
    _map_labels(video, target)
    _keep_possible_jobs(video, target)
    thing, source = Thing("video", video.pk, video.name), video.project_id
    Video.objects.filter(pk=video.pk).update(project=target, upload=None)
    record(by, "video.move", thing, project_id=source, to=target.name)
    record(by, "video.move", thing, project_id=target.pk, origin=source)


def _map_labels(video: Video, target: Project) -> None:
    """Give each object the label of the target that has the name of its label."""
    there = {label.name.casefold(): label for label in target.labels.all()}
    for instance in Object.objects.filter(video=video, label__isnull=False).select_related("label"):
        label = instance.label
        assert label is not None
        if label.name.casefold() not in there:
            there[label.name.casefold()] = _new_label(target, label)
        instance.label = there[label.name.casefold()]
        instance.save(update_fields=["label"])
        changes.object_changed(instance)


def _new_label(target: Project, like: Label) -> Label:
    last = target.labels.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    return Label.objects.create(project=target, name=like.name, color=like.color, position=position)


def _keep_possible_jobs(video: Video, target: Project) -> None:
    """Take jobs from people who could not have them in the target project."""
    roles = dict(Membership.objects.filter(project=target).values_list("user_id", "role"))
    for job in Job.objects.filter(video=video):
        for column, role in (("assignee", Role.ANNOTATOR), ("reviewer", Role.REVIEWER)):
            person = getattr(job, f"{column}_id")
            if person is not None and (person not in roles or not allows(roles[person], role)):
                setattr(job, column, None)
                job.edition += 1
        job.save()
    changes.jobs_changed(video.pk)
