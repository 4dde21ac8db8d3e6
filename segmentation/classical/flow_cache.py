"""Keeps the optical flow between adjacent frames, so that later rounds need not compute it again."""

from __future__ import annotations

from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.motion import FlowEstimator, Motion
from segmentation.classical.scaled_frames import ScaledFrames
from segmentation.types import FloatArray

Kept = NDArray[np.float16]  # [h / 2, w / 2, 2]


class FlowCache:
    """A cache of flow fields of at most `budget` bytes. Flow that does not fit is computed again at each use.

    The flow is computed at the grid size (`Sizes.grid`). It is kept at half of it and in float16, because the flow by
    DIS is no more exact than that. The first use also gets these rounded values, so that results do not depend on the
    state of the cache. Several threads may use it at once.
    """

    def __init__(self, scaled_frames: ScaledFrames, budget: int) -> None:
        self.budget, self.used = budget, 0
        self._scaled_frames = scaled_frames
        self._field = FlowEstimator()
        self._kept: dict[tuple[int, int], Kept] = {}
        self._lock = Lock()

    def between(self, frame: int, neighbour: int) -> Motion:
        """Return the motion of the pixels of `frame` to their places in the adjacent frame `neighbour`."""
        return Motion.of(self._flow(frame, neighbour), self._flow(neighbour, frame))

    def _flow(self, frame: int, neighbour: int) -> FloatArray:
        scaled = self._scaled_frames[frame].grey
        with self._lock:
            kept = self._kept.get((frame, neighbour))
            if kept is None:
                kept = _smaller(self._field.flow(scaled, self._scaled_frames[neighbour].grey))
                # A full cache keeps its entries, because frames are used in a cycle: the oldest entry is needed next.
                if self.used + kept.nbytes <= self.budget:
                    self._kept[frame, neighbour] = kept
                    self.used += kept.nbytes
        height, width = scaled.shape
        return cv2.resize(kept.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR).view(np.ndarray)


def _smaller(flow: FloatArray) -> Kept:
    height, width = flow.shape[:2]
    size = (max(1, width // 2), max(1, height // 2))
    return cv2.resize(flow, size, interpolation=cv2.INTER_AREA).astype(np.float16)
