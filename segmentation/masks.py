"""Functions of label maps and probability maps: pixel counts, boxes, resizing, and soft aggregation of objects."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import LabelMap


def pixel_counts(labels: LabelMap) -> NDArray[np.float32]:
    """Return how many pixels each id 0..255 has in a mask, as an array [256]."""
    return np.asarray(cv2.calcHist([labels], [0], None, [256], [0, 256]), np.float32).ravel()


def shown_ids(labels: LabelMap) -> frozenset[int]:
    """Return the ids that occur in a mask, including 0 if any pixel is background."""
    return frozenset(np.flatnonzero(pixel_counts(labels)).tolist())


class Box(NamedTuple):
    """A rectangle of pixels: rows y0..y1-1 and columns x0..x1-1, so that y1 and x1 are just outside."""

    y0: int
    x0: int
    y1: int
    x1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def grown(self, margin: int, height: int, width: int) -> Box:
        """Return this box with `margin` more pixels on each side, clipped to a frame of the given size."""
        return Box(
            max(self.y0 - margin, 0),
            max(self.x0 - margin, 0),
            min(self.y1 + margin, height),
            min(self.x1 + margin, width),
        )


def box_of(mask: NDArray[np.generic]) -> Box | None:
    """Return the smallest box around the pixels that are not zero, or None if there are none."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[y0:y1].any(axis=0))
    return Box(y0, int(columns[0]), y1, int(columns[-1]) + 1)


def boxes(labels: LabelMap) -> dict[int, Box]:
    """Return the smallest box around each object that occurs in a mask, by object id."""
    found = {}
    for object_id in np.unique(labels):
        box = box_of(labels == object_id)
        if object_id and box is not None:
            found[int(object_id)] = box
    return found


def resize_labels(labels: LabelMap, height: int, width: int) -> LabelMap:
    """Resize a mask to [height, width] by nearest neighbour, because ids cannot be averaged."""
    if labels.shape == (height, width):
        return labels
    return cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT).view(np.ndarray)


def resize_probabilities(probabilities: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize maps [C, h, w] to [C, height, width]: by area averages if `height` is less than h, else bilinearly."""
    if probabilities.shape[1:] == (height, width):
        return probabilities
    shrink = height < probabilities.shape[1]
    how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return np.stack([cv2.resize(p, (width, height), interpolation=how) for p in probabilities])


def soft_aggregate(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Merge the probabilities of independent objects [N, H, W] into [N + 1, H, W] that sum to 1, background first.

    This is the soft aggregation of STM (Oh et al. 2019, eq. 5 and 6): the probability of the background is prod(1 - p),
    and the result is the softmax of the logits of all N + 1 maps (the odds of each map divided by the sum of the odds).
    """
    background = np.prod(1 - probabilities, axis=0, keepdims=True)
    merged = np.clip(np.concatenate([background, probabilities]), 1e-7, 1 - 1e-7)
    odds = merged / (1 - merged)
    result: NDArray[np.float32] = (odds / odds.sum(axis=0, keepdims=True)).astype(np.float32)
    return result
