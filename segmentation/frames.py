"""Frames by index from image files and arrays. Files are read when their frames are requested; a cache keeps some."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from segmentation.formats.bit_depth import black_and_white
from segmentation.formats.davis_layout import FRAME_SUFFIXES
from segmentation.formats.file_tree import UNREAD_PICTURES, is_clutter, listed, natural
from segmentation.formats.mask_image import UNREADABLE
from segmentation.runtime.caches import ByteCache
from segmentation.types import Image

CACHE_BYTES = 64 << 20  # This holds 50 frames of 480p; a round reads neighbouring frames.
ONE_PAGE = frozenset({".jpg", ".jpeg", ".bmp"})  # Files of these formats have one picture.


def check_index(index: int, count: int) -> None:
    """Raise IndexError unless 0 <= index < count. Unlike in a list, a negative index is an error."""
    if not 0 <= index < count:
        raise IndexError(f"frame {index} is outside 0..{count - 1}")


class ImageFrames:
    """Frames from image files in the given order, read-only uint8 RGB [H, W, 3].

    The frames that were read last stay in memory, up to `cache_bytes` together. Pictures with more than 8 bits for each
    channel are scaled to 8, all in the same way (see `black_and_white`). Transparent pixels become black.

    Raises:
        ValueError: there are no files, the first one is not an image, or a file has several pictures. Reading a frame
            also raises it if the file is not an image or its size differs from that of the first frame.
    """

    def __init__(self, files: Sequence[Path], cache_bytes: int = CACHE_BYTES) -> None:
        if not files:
            raise ValueError("frames: no image files")
        self.files = tuple(files)
        self.width, self.height = _image_size(self.files[0])
        for path in self.files:
            if path.suffix.lower() not in ONE_PAGE:
                _check_pages(path)
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
        values = _stored(path)
        if values.shape[:2] != (self.height, self.width):
            found = f"{values.shape[1]}x{values.shape[0]}"
            raise ValueError(f"frames: {path.name} is {found}, the first frame is {self.width}x{self.height}")
        if values.dtype != np.uint8:
            low, high = self._black_and_white
            scaled = (values - low) * (255 / max(high - low, 1e-9))
            values = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        frame = cv2.cvtColor(values, cv2.COLOR_GRAY2RGB if values.ndim == 2 else cv2.COLOR_BGR2RGB)
        frame.setflags(write=False)  # The cache returns the same array to several callers.
        return frame.view(np.ndarray)

    @cached_property
    def _black_and_white(self) -> tuple[float, float]:
        """The values that become black and white in files with more than 8 bits."""
        low, high, whole = 0.0, 0.0, True
        for path in self.files:
            values = _stored(path)
            if values.dtype != np.uint8:
                low, high = min(low, float(values.min())), max(high, float(values.max()))
                whole = whole and not _has_fractions(path)
        return black_and_white(low, high, whole=whole)


class FolderFrames(ImageFrames):
    """Frames from the images of a folder, without `unread_pictures`, in the natural order of names: 2 is before 10.

    Raises ValueError as `ImageFrames` does, and also if the folder does not exist.
    """

    def __init__(self, folder: Path | str, cache_bytes: int = CACHE_BYTES) -> None:
        folder = Path(folder)
        if not folder.is_dir():
            raise ValueError(f"frames: {folder} is not a folder")
        files = [p for p in folder.iterdir() if p.suffix.lower() in FRAME_SUFFIXES and not is_clutter(p.name)]
        if not files:
            unread = listed(unread_pictures(folder))
            why = f" that can be read ({unread}): save them as JPEG or PNG" if unread else ""
            raise ValueError(f"frames: no images in {folder}{why}")
        super().__init__(sorted(files, key=lambda path: natural(path.name)), cache_bytes)


def unread_pictures(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder that `FolderFrames` leaves out, such as HEIC and GIF files."""
    suffixes = {*UNREAD_PICTURES, ".gif"}
    names = [p.name for p in folder.iterdir() if p.suffix.lower() in suffixes and not is_clutter(p.name)]
    return sorted(names, key=natural)


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


def _stored(path: Path) -> NDArray[Any]:
    """Read the values of a picture as they are stored: grey [H, W], or BGR [H, W, 3]. Transparent pixels become black.

    They are uint8, or float64 if the file has more than 8 bits for each channel. Raises ValueError if the file cannot
    be read as an image.
    """
    try:
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # It has more pixels than OpenCV reads.
        values = None
    if values is None:
        raise ValueError(f"frames: {path.name} cannot be read as an image")
    found: NDArray[Any] = np.asarray(values)
    most = np.iinfo(found.dtype).max if found.dtype.kind in "ui" else 1
    if found.dtype != np.uint8:
        found = np.nan_to_num(found.astype(np.float64), posinf=0, neginf=0)
    if found.ndim == 3 and found.shape[2] == 4:
        seen = found[..., :3] * (found[..., 3:] / most)
        found = np.rint(seen).astype(np.uint8) if found.dtype == np.uint8 else seen
    return found


def _has_fractions(path: Path) -> bool:
    with PillowImage.open(path) as image:
        return image.mode == "F"


def _check_pages(path: Path) -> None:
    """Raise ValueError for a file that has several pictures, of which only the first would be read."""
    try:
        with PillowImage.open(path) as image:
            pages = getattr(image, "n_frames", 1)
    except UNREADABLE:
        return  # Reading the frame says so.
    if pages > 1:
        text = "open the file itself, whose pages are frames, or save each as a file of its own"
        raise ValueError(f"frames: {path.name} has {pages} pages; {text}")


def _image_size(path: Path) -> tuple[int, int]:
    try:
        with PillowImage.open(path) as image:
            return image.size
    except UNREADABLE as error:
        raise ValueError(f"frames: {path.name} cannot be read as an image") from error
