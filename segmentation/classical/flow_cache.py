"""The motion between frames of a video, computed once: later rounds walk the same way again."""

from __future__ import annotations

from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.motion import FlowEstimator, Motion
from segmentation.classical.scaled_frames import ScaledFrames

Kept = NDArray[np.float16]  # [h / 2, w / 2, 2]


class FlowCache:
    """Motion by frame number, within a byte budget; what does not fit is computed anew each time. Safe to share
    between threads.

    Fields are kept at half the size and precision, which is how finely DIS finds them; the first use goes through it
    too, so that every use sees the same numbers.
    """

    def __init__(self, scaled_frames: ScaledFrames, budget: int) -> None:
        self.budget, self.used = budget, 0
        self._scaled_frames = scaled_frames
        self._field = FlowEstimator()
        self._kept: dict[tuple[int, int], Kept] = {}
        self._lock = Lock()

    def between(self, frame: int, neighbour: int) -> Motion:
        """From `frame` back to `neighbour`."""
        return Motion.of(self._flow(frame, neighbour), self._flow(neighbour, frame))

    def _flow(self, frame: int, neighbour: int) -> NDArray[Any]:
        scaled = self._scaled_frames[frame].grey
        with self._lock:
            kept = self._kept.get((frame, neighbour))
            if kept is None:
                kept = _smaller(self._field.flow(scaled, self._scaled_frames[neighbour].grey))
                # When it is full, what is there stays: of frames that are asked for in turns the oldest comes next.
                if self.used + kept.nbytes <= self.budget:
                    self._kept[frame, neighbour] = kept
                    self.used += kept.nbytes
        height, width = scaled.shape
        return cv2.resize(kept.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR).view(np.ndarray)


def _smaller(flow: NDArray[Any]) -> Kept:
    height, width = flow.shape[:2]
    size = (max(1, width // 2), max(1, height // 2))
    return cv2.resize(flow, size, interpolation=cv2.INTER_AREA).astype(np.float16)
