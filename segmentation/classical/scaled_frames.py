"""Frames at two reduced sizes: the internal size, for outlines, and the smaller grid size, for propagating masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.pixel_features import CHANNELS, UNITS, compute_pixel_features, random_features
from segmentation.types import FloatArray, FrameSource

WORK_SIDE = 854  # Longest side of the internal size, at which outlines are computed: 480p.
GRID_SIDE = 427  # Longest side of the grid size. Flow at twice the side costs four times as much and gains little.
SPARSE = 6  # The texture model is fitted to every sixth pixel at half size: still twenty times its unknowns.
KEPT = 10  # Number of cached frames: three for each direction, and annotated frames to which models are fitted.


@dataclass(frozen=True)
class Sizes:
    """The sizes (height, width) at which an engine sees a video.

    `video` is the size of the video and of its masks, `work` the internal size, at which outlines are computed, and
    `grid` the smaller size at which probability maps are computed and propagated.
    """

    video: tuple[int, int]
    work: tuple[int, int]
    grid: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, max_side: int | None = None, grid: tuple[int, int] | None = None) -> Sizes:
        """Choose the sizes for a video of `height` x `width` pixels.

        The internal size has a longest side of at most `max_side` pixels (None: WORK_SIDE). The grid size is `grid`, or
        has a longest side of at most GRID_SIDE.
        """
        work = _fit(height, width, max_side or WORK_SIDE)
        return cls((height, width), work, grid or _fit(*work, GRID_SIDE))

    @property
    def half(self) -> tuple[int, int]:
        """Half the grid size, rounded up: the (height, width) of `ScaledFrame.pixel_features`."""
        return (self.grid[0] + 1) // 2, (self.grid[1] + 1) // 2


@dataclass(frozen=True, eq=False)
class ScaledFrame:
    work: NDArray[np.uint8]  # [H, W, 3], RGB at the internal size `Sizes.work`
    grid: NDArray[np.uint8]  # [h, w, 3], RGB at the smaller size `Sizes.grid`
    lab: NDArray[np.uint8]  # [h, w, 3], CIE Lab at the size `Sizes.grid`, with a and b stretched by 1.8
    grey: NDArray[np.uint8]  # [h, w], grey levels at the size `Sizes.grid`

    @cached_property
    def fine_features(self) -> FloatArray:
        """The features of `compute_pixel_features` at the grid size, [h, w, CHANNELS]."""
        return compute_pixel_features(self.lab, self.grey)

    @cached_property
    def lifted_features(self) -> FloatArray:
        """The random features of the pixels at the grid size, [h * w, UNITS + 1], for texture models."""
        return random_features(self.fine_features)

    @cached_property
    def pixel_features(self) -> FloatArray:
        """The features of `compute_pixel_features` at half the grid size, [h/2, w/2, CHANNELS]."""
        height, width = self.grey.shape
        size = ((width + 1) // 2, (height + 1) // 2)
        lab = cv2.resize(self.lab, size, interpolation=cv2.INTER_AREA).view(np.ndarray)
        return compute_pixel_features(lab, cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA).view(np.ndarray))

    @cached_property
    def sparse_features(self) -> FloatArray:
        """The random features of every `SPARSE`th pixel at half the grid size, [n, UNITS + 1], for texture models."""
        return random_features(self.pixel_features.reshape(-1, CHANNELS)[::SPARSE])


class ScaledFrames:
    """The frames of a video at reduced sizes, by index.

    The `KEPT` frames used last are cached, so memory does not grow with the video. Several threads may use it at once.
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
        """The largest memory that the cache takes, in bytes: `KEPT` frames with their features."""
        work, grid, half = (size[0] * size[1] for size in (self.sizes.work, self.sizes.grid, self.sizes.half))
        sparse = (UNITS + 1) * (half // SPARSE + 1)
        return KEPT * (3 * work + 7 * grid + 4 * CHANNELS * half + 4 * sparse)

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
    """Scale a frame down to a longest side of at most `side` pixels.

    The result has this size both as its internal size (`work`) and as its grid size (`grid`).
    """
    grid = _shrink(scaled.grid, _fit(scaled.grey.shape[0], scaled.grey.shape[1], side))
    return ScaledFrame(grid, grid, _spread_lab(grid), cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY).view(np.ndarray))


def scale_frame(image: NDArray[np.uint8], sizes: Sizes) -> ScaledFrame:
    work = _shrink(image, sizes.work)
    grid = _shrink(work, sizes.grid)
    return ScaledFrame(work, grid, _spread_lab(grid), cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY).view(np.ndarray))


def _spread_lab(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert RGB [h, w, 3] to CIE Lab with a and b stretched by 1.8, as photographs use little of their range."""
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
