"""Frames by index from image files and arrays. Files are read when their frames are requested; a cache keeps some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from segmentation.formats.davis_layout import FRAME_SUFFIXES
from segmentation.formats.file_tree import is_clutter, natural
from segmentation.runtime.caches import ByteCache
from segmentation.types import Image

CACHE_BYTES = 64 << 20  # This holds 50 frames of 480p; a round reads neighbouring frames.


def check_index(index: int, count: int) -> None:
    """Raise IndexError unless 0 <= index < count. Unlike in a list, a negative index is an error."""
    if not 0 <= index < count:
        raise IndexError(f"frame {index} is outside 0..{count - 1}")


class ImageFrames:
    """Frames from image files in the given order, read-only uint8 RGB [H, W, 3].

    The frames that were read last stay in memory, up to `cache_bytes` together.

    Raises:
        ValueError: there are no files. Reading a frame also raises it if the file is not an image or its size differs
            from that of the first frame.
    """

    def __init__(self, files: Sequence[Path], cache_bytes: int = CACHE_BYTES) -> None:
        if not files:
            raise ValueError("frames: no image files")
        self.files = tuple(files)
        self.width, self.height = _image_size(self.files[0])
        self._cache: ByteCache[int, Image] = ByteCache(cache_bytes)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Image:
        check_index(index, len(self.files))
        frame = self._cache.get(index)
        if frame is None:
            frame = self._read(self.files[index])
            self._cache.put(index, frame)
        return frame

    def _read(self, path: Path) -> Image:
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if bgr is None:
            raise ValueError(f"frames: {path.name} cannot be read as an image")
        if bgr.shape[:2] != (self.height, self.width):
            found = f"{bgr.shape[1]}x{bgr.shape[0]}"
            raise ValueError(f"frames: {path.name} is {found}, the first frame is {self.width}x{self.height}")
        frame = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        frame.setflags(write=False)  # The cache returns the same array to several callers.
        return frame.view(np.ndarray)


class FolderFrames(ImageFrames):
    """Frames from all images of a folder, in the natural order of their names: 2 comes before 10."""

    def __init__(self, folder: Path | str, cache_bytes: int = CACHE_BYTES) -> None:
        folder = Path(folder)
        if not folder.is_dir():
            raise ValueError(f"frames: {folder} is not a folder")
        files = [p for p in folder.iterdir() if p.suffix.lower() in FRAME_SUFFIXES and not is_clutter(p.name)]
        if not files:
            raise ValueError(f"frames: no images in {folder}")
        super().__init__(sorted(files, key=lambda path: natural(path.name)), cache_bytes)


class ArrayFrames:
    """Frames from an array or memory map, uint8 RGB [T, H, W, 3]. Raises ValueError for other types and shapes."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise ValueError(f"frames: expected uint8 [T, H, W, 3], got {frames.dtype} {frames.shape}")
        if min(frames.shape) < 1:
            raise ValueError(f"frames: empty, shape {frames.shape}")
        self._frames = frames

    @property
    def height(self) -> int:
        return int(self._frames.shape[1])

    @property
    def width(self) -> int:
        return int(self._frames.shape[2])

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        check_index(index, len(self._frames))
        frame = np.asarray(self._frames[index]).view()
        frame.setflags(write=False)
        return frame


def _image_size(path: Path) -> tuple[int, int]:
    try:
        with PillowImage.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError) as error:
        raise ValueError(f"frames: {path.name} cannot be read as an image") from error
