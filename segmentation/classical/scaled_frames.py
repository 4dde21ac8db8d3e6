"""Frames at the internal size of the engine, and on the coarser grid on which masks are propagated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatArray, FrameSource

WORK_SIDE = 854  # longest side of the internal size, at which outlines are computed: 480p
GRID_SIDE = 427  # Longest side of the grid. Flow at twice the side costs four times as much and gains little.
KEPT = 10  # cached frames: three for each direction, and annotated frames that are being fitted
CHANNELS = 16  # of `ScaledFrame.pixel_features`


@dataclass(frozen=True)
class Sizes:
    """(height, width) of the video, of the internal size and of the grid."""

    video: tuple[int, int]
    work: tuple[int, int]
    grid: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, max_side: int | None = None, grid: tuple[int, int] | None = None) -> Sizes:
        """Choose the sizes for a video: internal size at most `max_side` long, grid at most GRID_SIDE unless it is
        given.
        """
        work = _fit(height, width, max_side or WORK_SIDE)
        return cls((height, width), work, grid or _fit(*work, GRID_SIDE))

    @property
    def half(self) -> tuple[int, int]:
        """The size of `ScaledFrame.pixel_features`."""
        return (self.grid[0] + 1) // 2, (self.grid[1] + 1) // 2


@dataclass(frozen=True, eq=False)
class ScaledFrame:
    work: NDArray[np.uint8]  # [H, W, 3] RGB
    grid: NDArray[np.uint8]  # [h, w, 3] RGB
    lab: NDArray[np.uint8]  # [h, w, 3] CIE Lab with stretched a and b
    grey: NDArray[np.uint8]  # [h, w]

    @cached_property
    def pixel_features(self) -> FloatArray:
        """`compute_pixel_features` at half the size of the grid, [h/2, w/2, CHANNELS]."""
        height, width = self.grey.shape
        size = ((width + 1) // 2, (height + 1) // 2)
        lab = cv2.resize(self.lab, size, interpolation=cv2.INTER_AREA).view(np.ndarray)
        return compute_pixel_features(lab, cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA).view(np.ndarray))


def compute_pixel_features(lab: NDArray[np.uint8], grey: NDArray[np.uint8]) -> FloatArray:
    """Return cheap features of every pixel, [h, w, CHANNELS], each with a scale of about 1.

    They are colour at three scales, edge strength by direction at two, and contrast.
    """
    colour = lab.astype(np.float32) / 255 * 4 - 2
    light = grey.astype(np.float32) / 255
    edges = np.abs(np.dstack([cv2.Sobel(light, -1, 1, 0), cv2.Sobel(light, -1, 0, 1)])) / 2
    near = cv2.GaussianBlur(colour, (0, 0), 3)
    contrast = np.sqrt(np.maximum(cv2.GaussianBlur(colour * colour, (0, 0), 3) - near * near, 0))
    parts = [
        colour * 1.3,
        cv2.GaussianBlur(colour, (0, 0), 2),
        cv2.GaussianBlur(colour, (0, 0), 6),
        np.sqrt(cv2.GaussianBlur(edges, (0, 0), 1.5)) * 4 - 1,
        np.sqrt(cv2.GaussianBlur(edges, (0, 0), 5)) * 4 - 1,
        contrast * 2 - 0.5,
    ]
    return np.concatenate(parts, axis=2)


class ScaledFrames:
    """The scaled frames of a video by index. The last few are cached, so memory does not grow with the video.

    Safe for several threads.
    """

    def __init__(self, frames: FrameSource, sizes: Sizes) -> None:
        self._frames = frames
        self._kept: dict[int, ScaledFrame] = {}
        self._lock = Lock()
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def nbytes(self) -> int:
        """An upper bound in bytes: `KEPT` frames with their features."""
        work, grid, half = (size[0] * size[1] for size in (self.sizes.work, self.sizes.grid, self.sizes.half))
        return KEPT * (3 * work + 7 * grid + 4 * CHANNELS * half)

    def __getitem__(self, frame: int) -> ScaledFrame:
        with self._lock:
            scaled = self._kept.pop(frame, None)
            if scaled is None:
                scaled = scale_frame(self._frames[frame], self.sizes)
            self._kept[frame] = scaled
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return scaled


def smaller(scaled: ScaledFrame, side: int) -> ScaledFrame:
    """Scale a frame to a grid with a longest side of at most `side`."""
    grid = _shrink(scaled.grid, _fit(scaled.grey.shape[0], scaled.grey.shape[1], side))
    return ScaledFrame(grid, grid, _spread_lab(grid), cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY).view(np.ndarray))


def scale_frame(image: NDArray[np.uint8], sizes: Sizes) -> ScaledFrame:
    work = _shrink(image, sizes.work)
    grid = _shrink(work, sizes.grid)
    return ScaledFrame(work, grid, _spread_lab(grid), cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY).view(np.ndarray))


def _spread_lab(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert to Lab with a and b stretched by 1.8, because photographs use a small part of their 8-bit range."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.int16)
    lab[..., 1:] = (lab[..., 1:] - 128) * 9 // 5 + 128
    return np.clip(lab, 0, 255).astype(np.uint8)


def _fit(height: int, width: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _shrink(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape[:2] == size:
        return image
    return cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA).view(np.ndarray)
