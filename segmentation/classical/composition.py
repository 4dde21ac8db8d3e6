"""Combines the probability maps of all objects, at a reduced size, into one mask at the size of the video."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.guided_filter import GuidedFilter
from segmentation.classical.scaled_frames import ScaledFrame, Sizes
from segmentation.masks import Box, box_of
from segmentation.types import FloatMap, LabelMap

FAINT = 0.05  # Pixels with a lower probability cannot win and are skipped.
GIVEN = 0.7  # Probability of a mask that this round does not compute. An object with a higher probability covers it.
RADIUS, EPSILON = 3, 1e-4


class Composition:
    """Collects the objects of a frame one by one and gives every pixel to the most probable object or the background.

    The most probable object is the one with the highest odds p / (1 - p), which is also the result of the soft
    aggregation of STM (`masks.soft_aggregate`). So only the highest odds so far and the product of 1 - p are kept, for
    any number of objects.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._odds = np.zeros(sizes.video, np.float32)
        self._nothing = np.ones(sizes.video, np.float32)
        self._labels = np.zeros(sizes.video, np.uint8)

    def add(self, object_id: int, probability: FloatMap, scaled: ScaledFrame) -> None:
        """Add an object by its probability map at the reduced size `Sizes.grid`.

        A guided filter makes its outline follow the edges in the frame `scaled`.
        """
        box = box_of(probability > FAINT)
        if box is None:
            return
        height, width = probability.shape
        box = box.grown(2 * RADIUS + 2, height, width)
        work = _scaled(box, self._sizes.grid, self._sizes.work)
        fitted = GuidedFilter.fitted(probability[box.slices], scaled.grid[box.slices], RADIUS, EPSILON)
        drawn = fitted.drawn(scaled.work[work.slices])
        video = _scaled(work, self._sizes.work, self._sizes.video)
        size = (video.x1 - video.x0, video.y1 - video.y0)
        self._put(object_id, cv2.resize(drawn, size).view(np.ndarray), video)

    def add_given(self, object_id: int, mask: NDArray[np.bool_]) -> None:
        """Add an object whose mask [H, W], at the size of the video, is known: its pixels get the probability GIVEN.

        Other objects cover it only where their probability is higher.
        """
        box = box_of(mask)
        if box is not None:
            self._put(object_id, mask[box.slices] * np.float32(GIVEN), box)

    def labels(self) -> LabelMap:
        rest = np.clip(self._nothing, 1e-7, 1 - 1e-7)
        return np.where(rest / (1 - rest) >= self._odds, 0, self._labels).astype(np.uint8)

    def _put(self, object_id: int, probability: FloatMap, box: Box) -> None:
        p = np.clip(probability, 1e-7, 1 - 1e-7)
        odds, best = p / (1 - p), self._odds[box.slices]
        wins = odds > best
        best[wins] = odds[wins]
        self._labels[box.slices][wins] = object_id
        self._nothing[box.slices] *= 1 - p


def _scaled(box: Box, source: tuple[int, int], target: tuple[int, int]) -> Box:
    y, x = target[0] / source[0], target[1] / source[1]
    y0, x0 = int(box.y0 * y), int(box.x0 * x)
    y1, x1 = min(round(box.y1 * y), target[0]), min(round(box.x1 * x), target[1])
    return Box(y0, x0, max(y1, y0 + 1), max(x1, x0 + 1))
