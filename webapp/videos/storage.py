"""Paths of the files of videos and uploads, and a lazy reader of frames.

HOME/videos/<id>/frames/000000.jpg   the frames, by index
HOME/videos/<id>/thumbs/000000.jpg   the same, at most 256 pixels on the longest side
HOME/videos/<id>/truth/000000.png    ground truth, indexed PNG, where there is some
HOME/videos/<id>/source.json         the names and time stamps that the frames had in their source (source_table.py)
HOME/uploads/<uuid>                  a file that is arriving, or waits to be imported
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import LabelMap, decode_labels

if TYPE_CHECKING:  # The process that reads uploads does not use the database, so it cannot import models.
    from webapp.videos.models import Video

RgbFrame = NDArray[np.uint8]  # [H, W, 3]


@dataclass(frozen=True)
class VideoFolder:
    """The paths of the files of one video. They are computed without checking whether the files exist."""

    root: Path

    def frame(self, index: int) -> Path:
        return self.root / "frames" / f"{index:06d}.jpg"

    def thumb(self, index: int) -> Path:
        return self.root / "thumbs" / f"{index:06d}.jpg"

    def truth(self, index: int) -> Path:
        return self.root / "truth" / f"{index:06d}.png"

    @property
    def source(self) -> Path:
        return self.root / "source.json"

    def make(self) -> None:
        for name in ("frames", "thumbs", "truth"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Delete the folder, if it exists. Raises OSError if it cannot be deleted."""
        if self.root.exists():
            shutil.rmtree(self.root)


DELETED_PREFIX = "deleted-"  # The prefix of folders whose videos were deleted; workers remove them.


def videos_root() -> Path:
    return Path(settings.HOME) / "videos"


def folder_of(video_id: int) -> VideoFolder:
    return VideoFolder(videos_root() / str(video_id))


def set_aside(video_id: int) -> None:
    """Rename the folder of a deleted video, which is quick. A worker removes its thousands of files later."""
    with suppress(FileNotFoundError):  # A video whose import failed has no folder.
        folder_of(video_id).root.rename(videos_root() / f"{DELETED_PREFIX}{video_id}")


def staging_of(video_id: int, fence: int) -> VideoFolder:
    """Return the folder in which one attempt of an import writes. Each attempt has a folder of its own."""
    return VideoFolder(videos_root() / f"importing-{video_id}-{fence}")


def upload_path(upload_id: UUID) -> Path:
    return Path(settings.HOME) / "uploads" / str(upload_id)


def free_bytes() -> int:
    """Return the free bytes on the disk that holds the data folder."""
    return shutil.disk_usage(settings.HOME).free


def min_free_bytes() -> int:
    return int(settings.CONFIG["MASKWRIGHT_MIN_FREE_MB"]) << 20


class StoredFrames:
    """The frames of a video by index, read on demand. Engines use it as a `FrameSource`."""

    def __init__(self, video: Video) -> None:
        self.height, self.width = video.height, video.width
        self._count = video.frame_count
        self._folder = folder_of(video.pk)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> RgbFrame:
        """Read frame `index` as uint8 RGB [H, W, 3]. Raises IndexError outside 0..len-1."""
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} is outside 0..{self._count - 1}")
        with Image.open(self._folder.frame(index), formats=["JPEG"]) as image:
            return np.array(image.convert("RGB"))

    @property
    def paths(self) -> list[Path]:
        """Return the path of the JPEG file of every frame, in order."""
        return [self._folder.frame(index) for index in range(self._count)]


def read_truth(video: Video, frame: int) -> LabelMap | None:
    """Read the ground truth of `frame`, uint8 [H, W]. Return None if there is none."""
    try:
        with folder_of(video.pk).truth(frame).open("rb") as file:
            return decode_labels(file)
    except FileNotFoundError:
        return None
