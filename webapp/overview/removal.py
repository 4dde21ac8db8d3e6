"""Deletes the rows and files of what is marked for removal, in parts.

Each part is a transaction of its own, so that a video of ten thousand masks does not keep other writers waiting. A
worker that is lost in the middle leaves rows behind, which the next run deletes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from webapp.annotation.models import (
    AcceptedFrame,
    AcceptedObject,
    Change,
    Export,
    Head,
    Mask,
    Object,
    Receipt,
    Round,
    Scribble,
)
from webapp.projects.deletable import KEPT, REMOVE, Deletable
from webapp.projects.models import Project, RemovedLabel
from webapp.tasks.sending import send_task
from webapp.videos.models import Video, VideoState

log = structlog.get_logger(__name__)

PART = 500  # The number of rows that one transaction deletes.
KINDS: tuple[type[Deletable], ...] = (Project, Video, Export, RemovedLabel)


def sweep_trash() -> None:
    """Mark what has been in the trash for long enough, and notify a worker if there is anything to delete."""
    for kind in KINDS:
        kind._default_manager.filter(deleted_at__lt=Now() - KEPT, removing=False).update(removing=True)
    if any(kind._default_manager.filter(removing=True).exists() for kind in KINDS) or _failed_copies().exists():
        send_task(REMOVE)


def remove_marked() -> None:
    """Delete everything that is marked with `removing`, and what copies that failed or were cancelled have of the work
    on the original.
    """
    RemovedLabel.objects.filter(removing=True).delete()
    for export in Export.objects.filter(removing=True):
        export.delete()  # Its file is deleted after the commit (annotation/export/files.py).
    for video_id in Video.objects.filter(removing=True).order_by("pk").values_list("pk", flat=True):
        remove_video(video_id)
    for video_id in _failed_copies().values_list("pk", flat=True):
        remove_work(video_id)
    for project in Project.objects.filter(removing=True):
        for export in project.exports.all():
            export.delete()
        for video_id in list(project.videos.order_by("pk").values_list("pk", flat=True)):
            remove_video(video_id)
        project.delete()
        log.info("project_removed", project=project.name)


def _failed_copies() -> QuerySet[Video]:
    """Return the copies that failed or were cancelled, and that still have objects or rounds of the original."""
    ended = Video.objects.filter(copy_labels__isnull=False, state__in=[VideoState.FAILED, VideoState.CANCELLED])
    rows = (Object.objects.filter(video=OuterRef("pk")), Round.objects.filter(video=OuterRef("pk")))
    return ended.filter(Exists(rows[0]) | Exists(rows[1])).order_by("pk")


def remove_video(video_id: int) -> None:
    """Delete a video with its rounds, its masks and its files, in parts."""
    remove_work(video_id)
    video = Video.objects.filter(pk=video_id).first()
    if video is not None:
        video.delete()  # Its files are deleted after the commit (videos/cleanup.py).
        log.info("video_removed", video=video_id)


def remove_work(video_id: int) -> None:
    """Delete the exports, objects, scribbles, rounds, masks, acceptances and change log of a video, in parts."""
    for export in Export.objects.filter(Q(video=video_id) | Q(round__video=video_id)):
        export.delete()
    _in_parts(AcceptedFrame, video=video_id)
    _in_parts(AcceptedObject, instance__video=video_id)
    Head.objects.filter(video=video_id).update(round=None)
    Round.objects.filter(video=video_id).update(base=None, superseded_by=None)
    _in_parts(Mask, round__video=video_id)
    for kind in (Change, Receipt, Scribble, Round, Object):
        _in_parts(kind, video=video_id)


def _in_parts(kind: type[models.Model], **which: Any) -> None:
    rows = kind._default_manager.filter(**which).order_by("pk")
    while part := list(rows.values_list("pk", flat=True)[:PART]):
        _delete(kind, part)


@transaction.atomic
def _delete(kind: type[models.Model], keys: Iterable[int]) -> None:
    kind._default_manager.filter(pk__in=keys).only("pk").delete()  # Without `only`, Django would read the masks first.
