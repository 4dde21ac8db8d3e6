"""An import, from the claim of its row to the ready video: progress, heartbeat, cancel, and a clear end.

The row is the truth and the task only a doorbell: whoever claims the row raises its fence, and may write only while
the fence is still theirs. Files are written beside the video's folder and moved there when they are complete.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webapp.videos.frame_writer import FrameWriter, SourceFrame
from webapp.videos.import_queue import notify_import_worker, release_upload
from webapp.videos.models import NAME_LENGTH, PART_LENGTH, Video, VideoState
from webapp.videos.refusal import ImportCancelled, Refused, disk_full
from webapp.videos.sources import Clip, open_source
from webapp.videos.storage import VideoFolder, folder_of, staging_of, upload_path

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.5
OnProgress = Callable[[int, int], None]  # frames done, frames in all (0 = unknown)


def run_import(video_id: int) -> None:
    """Do what the task asks. A row that somebody else has claimed, or that ended, is left alone."""
    video = claim(video_id)
    if video is None or video.upload is None:
        return
    try:
        with open_source(upload_path(video.upload.pk)) as clips:
            clip = _own_clip(video, clips)
            write_video(video, clip.frames(), clip.expected, notes=clip.notes)
    except ImportCancelled:
        _end(video, VideoState.CANCELLED)
    except Refused as refusal:
        _end(video, VideoState.FAILED, refusal.text)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _end(video, VideoState.FAILED, disk_full().text)
            return
        log.exception("import_failed", video=video_id)
        _end(video, VideoState.FAILED, "The import failed by a fault of the program; the log of the worker names it.")
    finally:
        release_upload(video.upload)


def claim(video_id: int) -> Video | None:
    """The video, when it waits and this call is the one that takes it."""
    waiting = Video.objects.filter(pk=video_id, state=VideoState.IMPORTING, heartbeat=None, upload__isnull=False)
    taken = waiting.update(fence=F("fence") + 1, attempts=F("attempts") + 1, heartbeat=timezone.now(), progress_done=0)
    return Video.objects.select_related("upload", "project", "created_by").get(pk=video_id) if taken else None


def write_video(
    video: Video,
    frames: Iterable[SourceFrame],
    expected: int = 0,
    *,
    notes: list[str] | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write all files of a claimed video and call it ready. `notes` is read when the frames have run through.

    Raises Refused, or ImportCancelled when somebody asked for that or the claim was lost; no file is left then.
    """
    staging = staging_of(video.pk, video.fence)
    try:
        beat = _Heartbeat(video, expected, on_progress)
        with FrameWriter(staging) as writer:
            for frame in frames:
                writer.add(frame)
                beat(writer.count)
        if not writer.count:
            raise Refused("no_frames", "There are no frames.")
        beat(writer.count, now=True)
        _publish(video, writer, staging, " ".join(notes or ()))
    finally:
        staging.remove()


class _Heartbeat:
    """Writes progress, at most twice a second, and notices that the import is to stop."""

    def __init__(self, video: Video, expected: int, on_progress: OnProgress | None) -> None:
        self._mine = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING, fence=video.fence)
        self._expected = expected
        self._on_progress = on_progress
        self._next = 0.0

    def __call__(self, done: int, *, now: bool = False) -> None:
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        total = max(self._expected, done) if self._expected else 0
        still = self._mine.filter(cancel_requested=False)
        if not still.update(heartbeat=timezone.now(), progress_done=done, progress_total=total):
            raise ImportCancelled
        if self._on_progress is not None:
            self._on_progress(done, total)


def _publish(video: Video, writer: FrameWriter, staging: VideoFolder, note: str) -> None:
    folder = folder_of(video.pk)
    folder.remove()  # of an attempt that was killed between the move and the row
    staging.root.rename(folder.root)
    ready = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING, fence=video.fence).update(
        state=VideoState.READY,
        note=note,
        width=writer.width,
        height=writer.height,
        frame_count=writer.count,
        fps=video.fps,
        size_bytes=writer.size_bytes,
        truth_frames=writer.truth_frames,
        truth_objects=writer.truth_objects,
        progress_done=writer.count,
        progress_total=writer.count,
    )
    if not ready:
        folder.remove()
        raise ImportCancelled
    video.refresh_from_db()


def _own_clip(video: Video, clips: Iterable[Clip]) -> Clip:
    """The clip of `video`. The first look at a source names the video, and makes one more for every further clip."""
    found = {_fitting_part(clip.part): clip for clip in clips}
    if not video.part:
        (video.part, first), *others = found.items()
        video.name = _fitting_name(first.name) or video.name
        _take_parts(video, others)
    clip = found[video.part]
    video.fps = clip.fps
    return clip


@transaction.atomic
def _take_parts(video: Video, others: Iterable[tuple[str, Clip]]) -> None:
    mine = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING, fence=video.fence)
    if not mine.update(part=video.part, name=video.name):
        raise ImportCancelled
    for part, clip in others:
        other = Video.objects.create(
            project=video.project,
            name=_fitting_name(clip.name),
            part=part,
            upload=video.upload,
            created_by=video.created_by,
        )
        notify_import_worker(other.pk)


def _fitting_name(name: str) -> str:
    """`name` as its column holds it: the path of a folder in a zip may have thousands of letters."""
    return name[:NAME_LENGTH]


def _fitting_part(part: str) -> str:
    """`part` as its column holds it. A hash in place of what is too long keeps the parts of a source apart."""
    if len(part) <= PART_LENGTH:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()
    return part[: PART_LENGTH - len(digest)] + digest


def _end(video: Video, state: VideoState, error: str = "") -> None:
    mine = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING, fence=video.fence)
    mine.update(state=state, error=error)
