"""J, F and J&F of DAVIS (Perazzi et al. 2016): region overlap and boundary accuracy, per frame and object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.masks import Box, box_of
from segmentation.types import LabelMap

BAND = 0.008  # the boundary tolerance, as a fraction of the frame's diagonal

Mask = NDArray[np.bool_]  # [H, W]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """J and F, float64 [T, N]: frame by object, 0..1."""

    j: Scores
    f: Scores

    @property
    def j_and_f(self) -> Scores:
        return (self.j + self.f) / 2

    @property
    def mean_j(self) -> float:
        """Mean over frames of each object, then over objects; as they have equally many frames, the mean of all."""
        return float(self.j.mean())

    @property
    def mean_f(self) -> float:
        return float(self.f.mean())

    @property
    def mean_j_and_f(self) -> float:
        return float(self.j_and_f.mean())


def score(truth: NDArray[np.uint8], predicted: NDArray[np.uint8], num_objects: int) -> Score:
    """Score label maps [T, H, W] against the truth, for the objects 1..num_objects."""
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
    pairs = list(zip(truth, predicted, strict=True))
    return Score(
        j=np.array([jaccard(t, p, num_objects) for t, p in pairs]),
        f=np.array([boundary_f(t, p, num_objects) for t, p in pairs]),
    )


def jaccard(truth: LabelMap, predicted: LabelMap, num_objects: int) -> Scores:
    """J = |intersection| / |union| of each object in one frame, [N]; 1 when both are empty."""
    _check(truth, predicted)
    size = int(max(truth.max(initial=0), predicted.max(initial=0), num_objects)) + 1
    pair = truth.astype(np.intp).ravel() * size + predicted.ravel()
    table = np.bincount(pair, minlength=size * size).reshape(size, size)  # truth by predicted
    hit = np.diagonal(table).astype(float)
    union = table.sum(axis=0) + table.sum(axis=1) - hit
    return np.where(union > 0, hit / np.maximum(union, 1), 1.0)[1 : num_objects + 1]


def boundary_f(truth: LabelMap, predicted: LabelMap, num_objects: int, band: float = BAND) -> Scores:
    """F of the boundaries of each object in one frame, [N], matched within `band` times the diagonal."""
    _check(truth, predicted)
    radius = int(np.ceil(band * np.hypot(*truth.shape))) if band < 1 else int(band)
    return np.array([_f_of_object(truth == i, predicted == i, radius) for i in range(1, num_objects + 1)])


def _f_of_object(truth: Mask, predicted: Mask, radius: int) -> float:
    # Only the surroundings of the two masks matter; cropping to them makes small objects cheap.
    box = box_of(truth | predicted)
    if box is None:
        return 1.0
    crop = box.grown(radius + 2, *truth.shape)
    true_line = _boundary(truth, crop)
    line = _boundary(predicted, crop)
    found, wanted = int(line.sum()), int(true_line.sum())
    if found == 0 or wanted == 0:
        return float(found == wanted)
    disk = _disk(radius)
    precision = np.count_nonzero(line * cv2.dilate(true_line, disk)) / found
    recall = np.count_nonzero(true_line * cv2.dilate(line, disk)) / wanted
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def _boundary(mask: Mask, crop: Box) -> NDArray[np.uint8]:
    """Pixels that differ from their right, lower or lower right neighbour, uint8 0/1, cut to `crop`.

    At the frame's own right and lower edge only the neighbour along the edge exists.
    """
    m = np.pad(mask, ((0, 1), (0, 1)), mode="edge")[crop.y0 : crop.y1 + 1, crop.x0 : crop.x1 + 1]
    here = m[:-1, :-1]
    line = (here != m[1:, :-1]) | (here != m[:-1, 1:]) | (here != m[1:, 1:])
    return line.astype(np.uint8)


@cache
def _disk(radius: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


def _check(truth: LabelMap, predicted: LabelMap) -> None:
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
