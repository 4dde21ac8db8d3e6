"""Exports, from the request to the file: made, claimed under a fence, followed, cancelled, taken up after a crash."""

from __future__ import annotations

import errno
import time
from datetime import timedelta
from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.export.files import export_path, unfinished_path
from webapp.annotation.export.format import Format
from webapp.annotation.export.formats import FORMATS
from webapp.annotation.export.subject import Subject
from webapp.annotation.head import head_of
from webapp.annotation.heartbeat import beating
from webapp.annotation.masks import effective
from webapp.annotation.models import Export, ExportState, Round
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import Visitor, allows
from webapp.projects.models import Role
from webapp.videos.access import role_for, video_for, videos_of
from webapp.videos.refusal import Refused, check_disk, disk_full

log = structlog.get_logger(__name__)

TASK = "annotation.export"
PROGRESS_SECONDS = 0.5
BEAT_SECONDS = 1.0
DISK_CHECK_EVERY = 50  # frames
STALE = timedelta(seconds=15)
RING_AGAIN = timedelta(seconds=60)
MAX_ATTEMPTS = 3
OPEN = (ExportState.QUEUED, ExportState.RUNNING)


class Stopped(Exception):
    """Cancelled, deleted, or no longer this worker's."""


def exports_of(user: Visitor) -> QuerySet[Export]:
    """All exports of all videos that `user` may see."""
    rows = Export.objects.filter(video__in=videos_of(user).values("pk"))
    return rows.select_related("video", "round", "author")


def export_for(user: Visitor, export_id: int) -> Export:
    """The export with this id, when `user` may see its video. Raises NotFound."""
    export = exports_of(user).filter(pk=export_id).first()
    if export is None:
        raise NotFound("export")
    return export


@transaction.atomic
def make_export(*, by: User, video_id: int, format_name: str, round_id: int | None = None) -> Export:
    """Ask for the masks that the video has at a round, at its head when None. Raises Problem when there are none."""
    video = video_for(by, video_id, Role.ANNOTATOR)
    if format_name not in FORMATS:
        known = ", ".join(FORMATS)
        raise Problem("unknown_format", f"There is no export format called {format_name!r}. Choose one of {known}.")
    if round_id is not None and not Round.objects.filter(video=video, pk=round_id).exists():
        raise NotFound("round")
    at = round_id or head_of(video.pk)
    if at is None or not effective(video.pk, at):
        raise Problem("no_masks", "There are no masks to export yet. Run a round first.", 409)
    export = Export.objects.create(
        video=video, round_id=at, format=format_name, author=by, progress_total=video.frame_count
    )
    _ring(export.pk)
    return export


def remove_export(*, by: User, export_id: int) -> None:
    """Cancel an export that is being made; delete one that has ended, with its file."""
    export = export_for(by, export_id)
    if export.author_id != by.pk and not allows(role_for(by, export.video_id), Role.MANAGER):
        raise Forbidden("This export is somebody else's. A manager can remove it.")
    if Export.objects.filter(pk=export.pk, state=ExportState.QUEUED).update(state=ExportState.CANCELLED):
        return
    if not Export.objects.filter(pk=export.pk, state=ExportState.RUNNING).update(cancel_requested=True):
        export.delete()


def run_export(export_id: int) -> None:
    """Do what the task asks. An export that somebody else has claimed, or that ended, is left alone."""
    taken = Export.objects.filter(pk=export_id, state=ExportState.QUEUED).update(
        state=ExportState.RUNNING, fence=F("fence") + 1, attempts=F("attempts") + 1, heartbeat=timezone.now()
    )
    if not taken:
        return
    export = Export.objects.select_related("video").get(pk=export_id)
    unfinished = unfinished_path(export.pk, export.fence)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        check_disk()
        assert export.round_id is not None
        # A thread: 254 pictures of a large frame, on a disk that is slow, take longer than STALE.
        with beating(partial(_beat, export), BEAT_SECONDS, export=export.pk):
            _format_of(export).write(Subject(export.video, export.round_id), unfinished, _Progress(export))
            unfinished.rename(export_path(export.pk))
        if not _end(export, ExportState.DONE, size_bytes=export_path(export.pk).stat().st_size):
            export_path(export.pk).unlink()
    except Stopped:
        _end(export, ExportState.CANCELLED)
    except Refused as refusal:
        _end(export, ExportState.FAILED, error=refusal.text)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if not full:
            log.exception("export_failed", export=export_id)
        text = disk_full().text if full else "The export failed by a fault of the program; the worker's log names it."
        _end(export, ExportState.FAILED, error=text)
    finally:
        unfinished.unlink(missing_ok=True)


def _format_of(export: Export) -> Format:
    known = FORMATS.get(export.format)
    if known is None:  # the export was asked for before an update of the program
        raise Refused("unknown_format", f"This version of Maskwright has no export format {export.format!r} any more.")
    return known


def sweep_exports() -> None:
    """Take up exports whose worker died, and ring again for those that nobody heard of."""
    now = timezone.now()
    for export in Export.objects.filter(state=ExportState.QUEUED, rung_at__lt=now - RING_AGAIN):
        if Export.objects.filter(pk=export.pk, rung_at=export.rung_at).update(rung_at=now):
            _ring(export.pk)
    for export in Export.objects.filter(state=ExportState.RUNNING, heartbeat__lt=now - STALE):
        dead = _mine(export).filter(heartbeat=export.heartbeat)
        if export.cancel_requested:
            ended = dead.update(state=ExportState.CANCELLED)
        elif export.attempts >= MAX_ATTEMPTS:
            text = f"The worker was killed {export.attempts} times during this export, perhaps for want of memory."
            ended = dead.update(state=ExportState.FAILED, error=text)
        else:
            ended = dead.update(state=ExportState.QUEUED, rung_at=now)
            if ended:
                _ring(export.pk)
        if ended:
            unfinished_path(export.pk, export.fence).unlink(missing_ok=True)


def _beat(export: Export) -> None:
    _mine(export).update(heartbeat=timezone.now())


class _Progress:
    """Writes progress, at most twice a second, and stops an export that nobody wants any more."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._next = 0.0

    def __call__(self, done: int) -> None:
        if done % DISK_CHECK_EVERY == 0:
            check_disk()
        if time.monotonic() < self._next and done < self._export.progress_total:
            return
        self._next = time.monotonic() + PROGRESS_SECONDS
        wanted = _mine(self._export).filter(cancel_requested=False)
        if not wanted.update(heartbeat=timezone.now(), progress_done=done):
            raise Stopped


def _mine(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(pk=export.pk, state=ExportState.RUNNING, fence=export.fence)


def _end(export: Export, state: ExportState, error: str = "", size_bytes: int = 0) -> bool:
    return bool(_mine(export).update(state=state, error=error, size_bytes=size_bytes))


def _ring(export_id: int) -> None:
    # Robust: the row is the truth, and the sweep rings again when the broker was away.
    transaction.on_commit(partial(current_app.send_task, TASK, [export_id]), robust=True)
