"""Exports, from the request to the file: creating, listing, writing and cancelling them."""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.export.files import export_file, folder_name, unfinished_path, unique_folders
from webapp.annotation.export.format import Format
from webapp.annotation.export.formats import FORMATS
from webapp.annotation.export.manifest import add_checksums, add_how_to, add_lists, add_manifest
from webapp.annotation.export.options import Look, Options
from webapp.annotation.export.subject import Subject
from webapp.annotation.head import head_of
from webapp.annotation.masks import effective, with_masks
from webapp.annotation.models import Export, ExportState, Head, Round
from webapp.audit.entries import Thing, record
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import ONLY_JOBS, Visitor, allows, is_limited, memberships_of, project_for, require
from webapp.projects.deletable import put_into_trash
from webapp.projects.models import Role
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.storage.files import storage
from webapp.tasks.heartbeat import beating
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import send_task
from webapp.videos.access import video_for, videos_of
from webapp.videos.models import Video, VideoState
from webapp.videos.refusal import Refused, check_disk, disk_full
from webapp.webhooks.events import Event, tell

log = structlog.get_logger(__name__)

TASK = "annotation.export"
PROGRESS_SECONDS = 0.5
BEAT_SECONDS = 1.0
DISK_CHECK_EVERY = 50  # The number of frames between two checks of the free disk space.
OPEN = (ExportState.QUEUED, ExportState.RUNNING)


class Stopped(Exception):
    """The export was cancelled or deleted, or its lease belongs to another worker now."""


def exports_of(user: Visitor) -> QuerySet[Export]:
    """Return the exports of all videos and projects that `user` may see, without those in the trash.

    A user who sees only the videos of their jobs does not see exports of projects.
    """
    whole = memberships_of(user).exclude(ONLY_JOBS).values("project")
    own = Q(video__in=videos_of(user).values("pk")) | Q(project__in=whole)
    return Export.objects.filter(own, deleted_at=None).select_related("video", "project", "round", "author")


def export_for(user: Visitor, export_id: int) -> Export:
    """Return an export of a video or project that `user` may see. Raises NotFound."""
    export = exports_of(user).filter(pk=export_id).first()
    if export is None:
        raise NotFound("export")
    return export


@transaction.atomic
def make_export(
    *, by: User, video_id: int, format_name: str, round_id: int | None = None, options: Options | None = None
) -> Export:
    """Create an export of the masks that the video has at a round, or at the head (the current round) if `round_id` is
    None. `options` choose the frames and objects; None: all of them.

    Raises NotFound or Forbidden if the user may not do this, NotFound if the video has no such round, and Problem if
    there are no masks or no frames that fit the options, or if the format is unknown or does not take the options.
    """
    options = options or Options()
    video = video_for(by, video_id, Role.ANNOTATOR)
    _check_format(format_name)
    _check_options(format_name, options)
    if round_id is not None and not Round.objects.filter(video=video, pk=round_id).exists():
        raise NotFound("round")
    at = round_id or head_of(video.pk)
    if at is None or not effective(video.pk, at):
        raise Problem("no_masks", "There are no masks to export yet. Run a round first.", 409)
    export = Export.objects.create(
        video=video,
        round_id=at,
        format=format_name,
        options=options.stored(),
        author=by,
        progress_total=_count([Subject(video, at, "", options)]),
    )
    record(by, "export.make", _thing(export), project_id=video.project_id)
    EXPORTS.notify(export.pk)
    return export


@transaction.atomic
def make_project_export(
    *,
    by: User,
    project_id: int,
    format_name: str,
    options: Options | None = None,
    video_ids: Sequence[int] | None = None,
) -> Export:
    """Create an export of all videos of a project that have masks, without copies, each at its head, in one file.

    With `video_ids`, or with splits in `options`, only the videos that these name are exported; they must be ready
    videos of the project and no copies. `options` also choose the frames and objects; None: all of them. Videos without
    a frame that fits the options are left out.

    Raises NotFound or Forbidden if the user may not do this, and Problem if no video has masks or frames that fit the
    options, if a video is in two splits, or if the format is unknown, can hold one video only or does not take the
    options.
    """
    project = project_for(by, project_id, Role.ANNOTATOR)
    if is_limited(project, require(by, project_id)):
        raise Forbidden("You see only the videos of your jobs, so you cannot export the whole project.")
    if not _check_format(format_name).of_project:
        raise Problem("one_video", "This format holds one video. Export the videos one by one.")
    heads = dict(Head.objects.filter(video__project=project, round__isnull=False).values_list("video_id", "round_id"))
    options = options or Options()
    _check_options(format_name, options)
    if options.splits:
        video_ids = [video for inside in options.splits.values() for video in inside]
        if len(set(video_ids)) != len(video_ids):
            raise Problem("same_video", "A video is in two splits. Put each into one.")
    there = Video.objects.filter(project=project, is_copy=False, state=VideoState.READY, deleted_at=None)
    if video_ids is not None:
        there = there.filter(pk__in=video_ids)
        if there.count() != len(set(video_ids)):
            raise NotFound("video")
    videos = list(there.filter(pk__in=heads).order_by("created_at", "pk"))
    shown = with_masks({video.pk: heads[video.pk] for video in videos})
    videos = [video for video in videos if video.pk in shown]
    if not videos:
        raise Problem("no_masks", "There are no masks to export yet. Run a round first.", 409)
    subjects = [Subject(video, heads[video.pk], "", options) for video in videos]
    subjects = [subject for subject in subjects if subject.indexes]
    export = Export.objects.create(
        project=project,
        rounds=[[subject.video.pk, subject.round_id] for subject in subjects],
        format=format_name,
        options=options.stored(),
        author=by,
        progress_total=_count(subjects),
    )
    record(by, "export.make", _thing(export), project_id=project_id, videos=len(subjects))
    EXPORTS.notify(export.pk)
    return export


def _count(subjects: Sequence[Subject]) -> int:
    """Return the number of frames of an export. Raises Problem if there are none."""
    count = sum(len(subject.indexes) for subject in subjects)
    if not count:
        raise Problem("no_frames", "No frame fits these options. Choose other ranges, or accept frames first.", 409)
    return count


def _check_format(name: str) -> Format:
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise Problem("unknown_format", f"There is no export format called {name!r}. Choose one of {known}.")
    return FORMATS[name]


def _check_options(format_name: str, options: Options) -> None:
    """Raise Problem if the options ask for a look, soft edges or multiplied colours, which the format does not have."""
    takes = FORMATS[format_name].takes
    if options.look != Look() and "look" not in takes:
        raise Problem("no_look", "Only the format overlay has a look. Export an overlay.", field="look")
    if options.matte.premultiplied and "premultiplied" not in takes:
        text = "Only videos with alpha have colours that can be multiplied by it. Export prores, png-mov or webm."
        raise Problem("no_alpha", text, field="matte")
    if options.matte.edge is not None and (
        "matte" not in takes or (takes[0] == "look" and not options.look.background)
    ):
        text = "This format has no soft edges. Export mattes, a video with alpha, or an overlay before a background."
        raise Problem("no_matte", text, field="matte")


def remove_export(*, by: User, export_id: int) -> None:
    """Cancel an export that waits or runs. Put one that has a file into the trash, and delete one that has none."""
    export = export_for(by, export_id)
    project_id = export.video.project_id if export.video is not None else export.project_id
    assert project_id is not None
    if export.author_id != by.pk and not allows(require(by, project_id, what="export"), Role.MANAGER):
        raise Forbidden("This export is somebody else's. A manager can remove it.")
    if stop_export(export.pk):
        return
    if export.state != ExportState.DONE:
        export.delete()
        return
    record(by, "export.delete", _thing(export), project_id=project_id)
    put_into_trash(export, by)


def stop_export(export_id: int) -> bool:
    """End an export that waits, or ask one that runs to stop. Return False if it has ended."""
    rows = Export.objects.filter(pk=export_id)
    if rows.filter(state=ExportState.QUEUED).update(state=ExportState.CANCELLED):
        return True
    return bool(rows.filter(state=ExportState.RUNNING).update(cancel_requested=True))


def _thing(export: Export) -> Thing:
    source = export.video or export.project
    return Thing("export", export.pk, f"{source.name if source else ''} ({export.format})")


def run_export(export_id: int) -> None:
    """Write the file of an export that waits. Does nothing if another worker has claimed it or it has ended."""
    export = EXPORTS.claim(export_id)
    if export is None:
        return
    unfinished = unfinished_path(export.pk, export.fence)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        check_disk()
        # A thread writes the heartbeat: one frame can become 254 large files, which take longer than the lease allows.
        with beating(partial(EXPORTS.beat, export.pk, export.fence), BEAT_SECONDS, export=export.pk):
            known, subjects = _format_of(export), _subjects_of(export)
            progress = _Progress(export)
            known.write(subjects, unfinished, progress)
            if known.suffix == "zip" or (known.suffix == "npz" and subjects[0].options.names == "number"):
                add_manifest(unfinished, export, subjects)  # In an npz file it would stand among the arrays.
            if known.suffix == "zip":
                add_lists(unfinished, subjects)
                add_how_to(unfinished, known.how_to)
                add_checksums(unfinished, partial(progress, export.progress_total))
            size = unfinished.stat().st_size
            storage().save(unfinished, export_file(export.pk))
        if not _end(export, ExportState.DONE, size_bytes=size):
            # The file is another worker's if that has claimed the export since.
            taken_over = Export.objects.filter(pk=export.pk, fence__gt=export.fence).exists()
            if not taken_over:
                storage().remove(export_file(export.pk))
    except Stopped:
        _end(export, ExportState.CANCELLED)
    except Refused as refusal:
        _end(export, ExportState.FAILED, error=refusal.text)
    except OperationalError:
        raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
    except StorageAway:
        if not EXPORTS.postpone(export.pk, export.fence):
            _end(export, ExportState.FAILED, error=AWAY_FOR_LONG)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if not full:
            log.exception("export_failed", export=export_id)
        text = disk_full().text if full else "The export failed by a fault of the program; the worker's log names it."
        _end(export, ExportState.FAILED, error=text)
    finally:
        unfinished.unlink(missing_ok=True)


def _subjects_of(export: Export) -> list[Subject]:
    """Return the videos of an export. An export of a project leaves out those that were deleted since it was asked for.

    Raises Refused if all of them were.
    """
    options = Options.read(export.options)
    if export.video is not None:
        assert export.round_id is not None
        return [Subject(export.video, export.round_id, folder_name(export.video.name), options)]
    videos = Video.objects.filter(deleted_at=None).in_bulk([video_id for video_id, _ in export.rounds])
    there = [(videos[video_id], round_id) for video_id, round_id in export.rounds if video_id in videos]
    if not there:
        raise Refused("no_videos", "All videos of this export were deleted.")
    folders = unique_folders(video.name for video, _ in there)
    splits = options.split_of([video.pk for video, _ in there])
    return [
        Subject(video, round_id, folder, options, splits.get(video.pk, ""))
        for (video, round_id), folder in zip(there, folders, strict=True)
    ]


def _format_of(export: Export) -> Format:
    known = FORMATS.get(export.format)
    if known is None:  # The format was removed after the export was created.
        raise Refused("unknown_format", f"This version of Maskwright has no export format {export.format!r} any more.")
    return known


class ExportLease(Lease[Export]):
    """The lease of exports. A thread of the worker stores a heartbeat every second, however long one frame takes."""

    queue = Queue.EXPORTS

    def notify(self, pk: int) -> None:
        send_task(TASK, pk)

    def is_wanted(self, task: Export) -> bool:
        return not task.cancel_requested

    def requeued(self, task: Export) -> None:
        self._remove_file(task)

    def end_lost(self, task: Export) -> None:
        state, error = ExportState.CANCELLED, ""
        if self.is_wanted(task):
            state = ExportState.FAILED
            error = f"The worker stopped {task.losses} times before this export was done. Its log may say why."
        if self.held(task.pk, task.fence).update(state=state, error=error):
            _tell_of_end(task, state, error)
        self._remove_file(task)

    @staticmethod
    def _remove_file(task: Export) -> None:
        unfinished_path(task.pk, task.fence).unlink(missing_ok=True)


EXPORTS = ExportLease(
    Export,
    waiting=ExportState.QUEUED,
    running=ExportState.RUNNING,
    limits=Limits(stale_after=timedelta(seconds=15), notify_again_after=timedelta(seconds=60)),
)


class _Progress:
    """A function that formats call with the number of frames done.

    It stores the number twice a second at most, and at the end. It then raises Stopped if the export is not wanted any
    more. Now and then it raises Refused if the disk is nearly full.
    """

    def __init__(self, export: Export) -> None:
        self._export = export
        self._next, self._stored = 0.0, -1

    def __call__(self, done: int) -> None:
        if done % DISK_CHECK_EVERY == 0 and done != self._stored:
            check_disk()
        last = done >= self._export.progress_total and done != self._stored
        if time.monotonic() < self._next and not last:
            return
        self._stored = done
        self._next = time.monotonic() + PROGRESS_SECONDS
        wanted = EXPORTS.held(self._export.pk, self._export.fence).filter(cancel_requested=False)
        if not wanted.update(heartbeat=Now(), progress_done=done):
            raise Stopped


@transaction.atomic
def _end(export: Export, state: ExportState, error: str = "", size_bytes: int = 0) -> bool:
    held = EXPORTS.held(export.pk, export.fence)
    ended = bool(held.update(state=state, error=error, size_bytes=size_bytes))
    if ended:
        _tell_of_end(export, state, error, size_bytes)
    return ended


def _tell_of_end(export: Export, state: ExportState, error: str = "", size_bytes: int = 0) -> None:
    event = {ExportState.DONE: Event.EXPORT_DONE, ExportState.FAILED: Event.EXPORT_FAILED}.get(state)
    if event is not None:
        project_id = export.project_id if export.video is None else export.video.project_id
        data = {"export": export.pk, "video": export.video_id, "format": export.format, "size_bytes": size_bytes}
        tell(project_id or 0, event, **data, error=error)
