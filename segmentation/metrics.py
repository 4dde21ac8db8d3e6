"""J, F and J&F of DAVIS (Perazzi et al. 2016): region overlap and boundary accuracy, per frame and object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from segmentation.masks import Box, box_of
from segmentation.types import IGNORE, LabelMap

BAND = 0.008  # the boundary tolerance, as a fraction of the frame's diagonal

Mask = NDArray[np.bool_]  # [H, W]
Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Score:
    """J and F of each frame and object, float64 [T, N] in 0..1."""

    j: Scores
    f: Scores

    @property
    def j_and_f(self) -> Scores:
        return (self.j + self.f) / 2

    @property
    def mean_j(self) -> float:
        """The mean over frames and objects. DAVIS averages over frames first, which is the same here."""
        return float(self.j.mean())

    @property
    def mean_f(self) -> float:
        return float(self.f.mean())

    @property
    def mean_j_and_f(self) -> float:
        return float(self.j_and_f.mean())


def score(truth: NDArray[np.uint8], predicted: NDArray[np.uint8], objects: int | Sequence[int] | None = None) -> Score:
    """Score masks against the truth (Perazzi et al. 2016, section 5).

    Args:
        truth: uint8 [T, H, W], ids of objects, 0 = background. 255 (no decision) counts as background.
        predicted: uint8 [T, H, W] with the same ids.
        objects: the ids that are scored, or how many there are (1..objects). None takes those that occur in `truth`: an
            id that nobody has would count as an object that is right in every frame.

    Raises:
        ValueError: the shapes differ, or `truth` shows no object and `objects` names none.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
    ids = object_ids(truth) if objects is None else objects
    if isinstance(ids, tuple) and not ids:
        raise ValueError("truth: it shows no object")
    pairs = list(zip(truth, predicted, strict=True))
    return Score(
        j=np.array([jaccard(t, p, ids) for t, p in pairs]),
        f=np.array([boundary_f(t, p, ids) for t, p in pairs]),
    )


def object_ids(truth: NDArray[np.uint8]) -> tuple[int, ...]:
    """Return the ids of the objects in masks of any shape, ascending. 0 and 255 are no objects."""
    found = np.flatnonzero(np.bincount(truth.ravel(), minlength=256))
    return tuple(int(number) for number in found if number not in (0, IGNORE))


def jaccard(truth: LabelMap, predicted: LabelMap, objects: int | Sequence[int]) -> Scores:
    """Return J = |intersection| / |union| of each object in one frame, [N]; 1 if both masks are empty.

    `objects` is as in `score`.
    """
    _check(truth, predicted)
    return np.array([_j_of_object(truth == i, predicted == i) for i in _ids(objects)])


def _j_of_object(truth: Mask, predicted: Mask) -> float:
    union = np.count_nonzero(truth | predicted)
    return np.count_nonzero(truth & predicted) / union if union else 1.0


def boundary_f(truth: LabelMap, predicted: LabelMap, objects: int | Sequence[int], band: float = BAND) -> Scores:
    """Return the boundary F of each object in one frame, [N]. `objects` is as in `score`.

    Args:
        band: how far two boundaries may be apart to match: a fraction of the diagonal, or pixels from 1 on.
    """
    _check(truth, predicted)
    radius = int(np.ceil(band * np.hypot(*truth.shape))) if band < 1 else int(band)
    return np.array([_f_of_object(truth == i, predicted == i, radius) for i in _ids(objects)])


def _f_of_object(truth: Mask, predicted: Mask, radius: int) -> float:
    # Pixels far from both masks have no influence. Cropping makes small objects cheap.
    box = box_of(truth | predicted)
    if box is None:
        return 1.0
    crop = box.grown(radius + 2, *truth.shape)
    true_line = _boundary(truth, crop)
    line = _boundary(predicted, crop)
    found, wanted = int(line.sum()), int(true_line.sum())
    if found == 0 or wanted == 0:
        return float(found == wanted)
    precision = np.count_nonzero(line & _dilate(true_line, radius)) / found
    recall = np.count_nonzero(true_line & _dilate(line, radius)) / wanted
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def _boundary(mask: Mask, crop: Box) -> NDArray[np.uint8]:
    """Return where a pixel differs from its right, lower or lower right neighbour, uint8 0/1, cropped to `crop`.

    At the right and lower edge of the frame, only the neighbour along the edge is compared.
    """
    m = np.pad(mask, ((0, 1), (0, 1)), mode="edge")[crop.y0 : crop.y1 + 1, crop.x0 : crop.x1 + 1]
    here = m[:-1, :-1]
    line = (here != m[1:, :-1]) | (here != m[:-1, 1:]) | (here != m[1:, 1:])
    return line.astype(np.uint8)


def _dilate(line: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Dilate `line` by the disk x^2 + y^2 <= radius^2.

    Each row of the disk is a run of pixels. The run of each width is made once, from the next narrower one, and is
    used for all rows of that width. This takes a quarter of the time of a general structuring element.
    """
    height, width = line.shape
    wide = np.zeros((height, width + 2 * radius), np.uint8)
    wide[:, radius : radius + width] = line
    tall = np.zeros((height + 2 * radius, width), np.uint8)
    spread = line.copy()
    reach = 0
    for half_width, rows in _rows_by_half_width(radius):
        while reach < half_width:
            reach += 1
            np.bitwise_or(spread, wide[:, radius - reach : radius - reach + width], out=spread)
            np.bitwise_or(spread, wide[:, radius + reach : radius + reach + width], out=spread)
        for row in rows:
            covered = tall[radius + row : radius + row + height]
            np.bitwise_or(covered, spread, out=covered)
    return tall[radius : radius + height]


@cache
def _rows_by_half_width(radius: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return the rows of the disk (offsets from its centre) grouped by half width, the narrowest first."""
    half = {row: isqrt(radius * radius - row * row) for row in range(-radius, radius + 1)}
    return tuple((width, tuple(r for r in half if half[r] == width)) for width in sorted(set(half.values())))


def _ids(objects: int | Sequence[int]) -> Sequence[int]:
    return range(1, int(objects) + 1) if isinstance(objects, int | np.integer) else objects


def _check(truth: LabelMap, predicted: LabelMap) -> None:
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
