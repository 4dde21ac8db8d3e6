"""Names of the stored files of videos, folders in which they are written first, and a lazy reader of frames.

videos/<id>/frames/000000.jpg   the frames, by index
videos/<id>/thumbs/000000.jpg   the same, at most 256 pixels on the longest side
videos/<id>/truth/000000.png    ground truth, indexed PNG, where there is some
videos/<id>/source.json         the names and time stamps that the frames had in their source (source_table.py)
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import LabelMap, decode_labels
from webapp.storage.files import storage

if TYPE_CHECKING:  # The process that reads uploads does not use the database, so it cannot import models.
    from webapp.videos.models import Video

RgbFrame = NDArray[np.uint8]  # [H, W, 3]


@dataclass(frozen=True)
class VideoFolder:
    """A folder of this machine in which the files of one video are written, before they are stored."""

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


VIDEOS = "videos"  # The folder of all stored files of videos.


@dataclass(frozen=True)
class VideoFiles:
    """The names of the stored files of one video, whether or not they exist."""

    video_id: int

    @property
    def folder(self) -> str:
        return f"{VIDEOS}/{self.video_id}"

    def frame(self, index: int) -> str:
        return f"{self.folder}/frames/{index:06d}.jpg"

    def thumb(self, index: int) -> str:
        return f"{self.folder}/thumbs/{index:06d}.jpg"

    def truth(self, index: int) -> str:
        return f"{self.folder}/truth/{index:06d}.png"

    @property
    def source(self) -> str:
        return f"{self.folder}/source.json"

    def remove(self) -> None:
        storage().remove_folder(self.folder)


def read_file(name: str) -> bytes:
    """Return the content of a stored file as it is now. Raises FileNotFoundError."""
    with storage().open(name) as file:
        return file.read()


def videos_root() -> Path:
    """Return the folder of this machine in which imports write."""
    return Path(settings.HOME) / VIDEOS


def folder_of(video_id: int) -> VideoFolder:
    """Return the folder of the files of a video, on a site that keeps them in its data folder."""
    return VideoFolder(videos_root() / str(video_id))


def staging_of(video_id: int, fence: int) -> VideoFolder:
    """Return the folder in which one attempt of an import writes. Each attempt has a folder of its own."""
    return VideoFolder(videos_root() / f"importing-{video_id}-{fence}")


def free_bytes() -> int:
    """Return the free bytes on the disk that holds the data folder."""
    return shutil.disk_usage(settings.HOME).free


def min_free_bytes() -> int:
    return int(settings.CONFIG["MASKWRIGHT_MIN_FREE_MB"]) << 20


AHEAD = 24  # The number of frames that are fetched before they are read, about those of a second.


class StoredFrames:
    """The frames of a video by index, read on demand. Engines use it as a `FrameSource`."""

    def __init__(self, video: Video) -> None:
        self.height, self.width = video.height, video.width
        self._count = video.frame_count
        self._files = VideoFiles(video.pk)
        self._last = -1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> RgbFrame:
        """Read frame `index` as uint8 RGB [H, W, 3]. Raises IndexError outside 0..len-1."""
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} is outside 0..{self._count - 1}")
        step = -1 if index < self._last else 1  # Engines go through a video in both directions.
        self._last = index
        ahead = range(index + step, index + step * (AHEAD + 1), step)
        storage().fetch_ahead(self._files.frame(each) for each in ahead if 0 <= each < self._count)
        with storage().open_cached(self._files.frame(index)) as file, Image.open(file, formats=["JPEG"]) as image:
            # Pixels are writable for the caller; `convert` would copy those that are RGB already once more.
            return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def read_truth(video: Video, frame: int) -> LabelMap | None:
    """Read the ground truth of `frame`, uint8 [H, W]. Return None if there is none."""
    try:
        return decode_labels(io.BytesIO(read_file(VideoFiles(video.pk).truth(frame))))
    except FileNotFoundError:
        return None
