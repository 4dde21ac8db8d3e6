"""Draws synthetic scribbles for training: first scribbles on objects, and scribbles that correct wrong masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.stroke import casual_stroke, middle_path
from segmentation.types import IGNORE, Scribble

MIN_ERROR = 0.0008  # the fewest wrong pixels of an id that get a scribble, as a fraction of the frame

# Radius of the disk in `_opened`, as in the DAVIS robot: a fraction of the square root of the region's area, and at
# most a fraction of the frame's shorter side.
OPENED, MOST_OPENED = 0.075, 1 / 30


def first_scribbles(random: np.random.Generator, labels: NDArray[np.uint8], num_objects: int) -> tuple[Scribble, ...]:
    """Draw one or two scribbles in each object that `labels` [H, W] shows, and one time in five one on the background.

    The objects are 1..`num_objects`.
    """
    strokes = []
    for number in range(1, num_objects + 1):
        mask = labels == number
        for _ in range(1 + int(random.random() < 0.3)):
            if mask.any():
                strokes.append(casual_stroke(random, mask, number))
    if random.random() < 0.2 and (labels == 0).any():
        strokes.append(casual_stroke(random, labels == 0, 0))
    return tuple(strokes)


def correcting_scribbles(
    random: np.random.Generator, labels: NDArray[np.uint8], predicted: NDArray[np.uint8], num_objects: int
) -> tuple[Scribble, ...]:
    """Draw for each id, 0 included, a scribble in the largest region where a mask lacks pixels of that id.

    Ids with fewer wrong pixels than `MIN_ERROR` get none. `labels` is the ground truth, and `predicted` the mask.
    """
    wrong = (labels != predicted) & (labels != IGNORE)
    regions = {number: wrong & (labels == number) for number in range(num_objects + 1)}
    least = MIN_ERROR * labels.size
    return tuple(casual_stroke(random, region, number) for number, region in regions.items() if region.sum() >= least)


def thorough_scribbles(
    labels: NDArray[np.uint8], predicted: NDArray[np.uint8], num_objects: int
) -> tuple[Scribble, ...]:
    """Draw for each id, 0 included, a scribble through every region where a mask lacks pixels of that id.

    Thin regions get none: as by the robot of the DAVIS challenge, the wrong pixels are first opened with a disk, whose
    radius grows with their number.
    """
    wrong = (labels != predicted) & (labels != IGNORE)
    strokes = []
    for number in range(num_objects + 1):
        region = wrong & (labels == number)
        if region.sum() < MIN_ERROR * labels.size:
            continue
        count, parts = cv2.connectedComponents(_opened(region).astype(np.uint8), connectivity=8)
        strokes += [Scribble(number, middle_path(parts == part)) for part in range(1, count)]
    return tuple(strokes)


def _opened(region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a region without its thin parts (opened by a disk). The disk is reduced until something remains."""
    radius = min(OPENED * float(np.sqrt(region.sum())), MOST_OPENED * min(region.shape))
    while radius > 1:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(radius) + 1,) * 2)
        opened = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, kernel)
        if opened.any():
            return np.asarray(opened, np.uint8)
        radius *= 0.9
    return region.astype(np.uint8)
