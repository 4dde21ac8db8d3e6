"""Makes a video at once, in this process, from frames that a program has: a rendered clip, a folder, a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos.frame_writer import FrameWriter, SourceFrame
from webapp.videos.label_png import LabelMap
from webapp.videos.models import Video, VideoState
from webapp.videos.refusal import Refused
from webapp.videos.storage import RgbFrame, folder_of


def create_video(
    *,
    project: Project,
    name: str,
    frames: Iterable[RgbFrame],
    author: User,
    truth: Iterable[LabelMap | None] = (),
    fps: float = 24.0,
) -> Video:
    """A ready video of uint8 RGB [H, W, 3] frames; `truth` goes along with them, uint8 [H, W] or None for each.

    Raises Refused for frames that an import would refuse too; no row and no file is left then.
    """
    return store_video(project=project, name=name, frames=_paired(frames, truth), author=author, fps=fps)


def store_video(
    *, project: Project, name: str, frames: Iterable[SourceFrame], author: User, fps: float = 24.0, note: str = ""
) -> Video:
    """As `create_video`, for frames that still are files."""
    video = Video.objects.create(project=project, name=name[:200], created_by=author, fps=fps)
    folder = folder_of(video.pk)
    try:
        with FrameWriter(folder) as writer:
            for frame in frames:
                writer.add(frame)
        if not writer.count:
            raise Refused("no_frames", "There are no frames.")
    except BaseException:
        folder.remove()
        video.delete()
        raise
    finish_video(video, writer, note=note)
    return video


def finish_video(video: Video, writer: FrameWriter, *, note: str = "") -> None:
    """Take what the writer found into the row and call the video ready."""
    video.width, video.height, video.frame_count = writer.width, writer.height, writer.count
    video.size_bytes = writer.size_bytes
    video.truth_frames, video.truth_objects = writer.truth_frames, writer.truth_objects
    video.progress_done = video.progress_total = writer.count
    video.state, video.note, video.error = VideoState.READY, note, ""
    video.save()


def _paired(frames: Iterable[RgbFrame], truth: Iterable[LabelMap | None]) -> Iterator[SourceFrame]:
    masks = iter(truth)
    for frame in frames:
        yield SourceFrame(frame, truth=next(masks, None))
