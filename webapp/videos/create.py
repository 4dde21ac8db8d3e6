"""Creates a video without a worker, from frames in memory or in a file or folder. Commands and tests use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models.functions import Now

from segmentation.formats.label_png import LabelMap
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.importing import OnProgress, write_video
from webapp.videos.models import Video
from webapp.videos.refusal import ImportCancelled, Refused
from webapp.videos.sources import Clip
from webapp.videos.storage import RgbFrame


def create_video(
    *,
    project: Project,
    name: str,
    frames: Iterable[RgbFrame],
    author: User,
    truth: Iterable[LabelMap | None] = (),
    fps: float = 24.0,
) -> Video:
    """Create a ready video from frames, uint8 RGB [H, W, 3].

    `truth` has the ground truth of each frame, uint8 [H, W] or None. Raises Refused for frames that an import would
    refuse, too; then no row and no file is left.
    """
    video = _claimed(project, name, author, fps)
    return _written(video, FramesInMemory(frames, truth, fps), None)


def bring_in(*, project: Project, clip: Clip, name: str, author: User, on_progress: OnProgress | None = None) -> Video:
    """Create a ready video from `clip`, which `open_source` found in a file or folder on this machine.

    `name` is used if `clip` has no name of its own. Raises Refused for frames that an import would refuse.
    """
    video = _claimed(project, clip.name or name, author, clip.fps)
    return _written(video, clip, on_progress)


def _claimed(project: Project, name: str, author: User, fps: float) -> Video:
    # The row has a heartbeat from the start, like an import that a worker has claimed, so that the sweep finds it if
    # this process is killed.
    return Video.objects.create(
        project=project, name=name[:200], created_by=author, fps=fps, part=".", fence=1, heartbeat=Now()
    )


def _written(video: Video, clip: Clip, on_progress: OnProgress | None) -> Video:
    try:
        write_video(video, clip, on_progress=on_progress)
    except ImportCancelled:
        video.delete()
        raise Refused("cancelled", f"Somebody cancelled the import of {video.name}.", 409) from None
    except BaseException:
        video.delete()
        raise
    return video


class FramesInMemory:
    """Frames and ground truth that are held in memory and can be imported as a `Clip` (sources.py) can."""

    part, name, expected, pixel_aspect = ".", "", 0, 1.0

    def __init__(self, frames: Iterable[RgbFrame], truth: Iterable[LabelMap | None] = (), fps: float = 24.0) -> None:
        self._frames, self._truth = frames, truth
        self.fps = fps
        self.notes: list[str] = []

    def frames(self) -> Iterator[SourceFrame]:
        masks = iter(self._truth)
        for frame in self._frames:
            yield SourceFrame(frame, truth=next(masks, None))
