"""The metrics J, F and J&F of DAVIS (Perazzi et al. 2016): region overlap and contour accuracy by frame and object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from segmentation.masks import Box, box_of
from segmentation.session.checks import checked_ids
from segmentation.types import IGNORE, MAX_OBJECTS, LabelMap

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
        """The mean of J over frames and objects. DAVIS averages over frames first, with the same result."""
        return float(self.j.mean())

    @property
    def mean_f(self) -> float:
        return float(self.f.mean())

    @property
    def mean_j_and_f(self) -> float:
        return float(self.j_and_f.mean())


def score(truth: NDArray[np.uint8], predicted: NDArray[np.uint8], objects: int | Iterable[int] | None = None) -> Score:
    """Compute J and F of masks against the ground truth (Perazzi et al. 2016, section 5).

    Args:
        truth: ground truth, uint8 [T, H, W], object ids, 0 = background. 255 ("ignore") counts as background.
        predicted: uint8 [T, H, W] with the same ids.
        objects: the ids that are scored, 1..254, or a number N for the ids 1..N. None takes the ids that occur in
            `truth`. An id that neither array contains scores 1 in every frame.

    Raises:
        ValueError: an array is of another type or shape, the shapes differ, `objects` holds no id or anything else than
            ids, or it is None and `truth` shows no object.
    """
    check_stack("truth", truth)
    check_stack("predicted", predicted)
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
    ids = object_ids(truth) if objects is None else _checked_ids(objects)
    if not ids:
        raise ValueError("truth: it shows no object")
    pairs = list(zip(truth, predicted, strict=True))
    return Score(
        j=np.array([jaccard(t, p, ids) for t, p in pairs]),
        f=np.array([boundary_f(t, p, ids) for t, p in pairs]),
    )


def check_stack(field: str, masks: object) -> None:
    """Raise ValueError unless `masks` is uint8 [T, H, W]. `field` is its name in the message."""
    if not isinstance(masks, np.ndarray) or masks.ndim != 3 or masks.dtype != np.uint8:
        got = f"{masks.dtype} {masks.shape}" if isinstance(masks, np.ndarray) else type(masks).__name__
        raise ValueError(f"{field}: expected uint8 [T, H, W], got {got}")


def _checked_ids(objects: int | Iterable[int]) -> tuple[int, ...]:
    """Return the ids that `objects` stands for, in its order. Raise ValueError if it is no number of objects or ids."""
    ids: Iterable[int] = ()
    if isinstance(objects, int | np.integer):
        if not isinstance(objects, bool) and objects <= MAX_OBJECTS:
            ids = range(1, int(objects) + 1)
    elif isinstance(objects, Iterable) and not isinstance(objects, str | bytes):
        ids = objects
    found = tuple(ids)
    if not found:
        raise ValueError(f"objects: expected a number in 1..{MAX_OBJECTS}, or ids of objects, got {objects!r}")
    checked_ids("objects", found, MAX_OBJECTS)
    return tuple(int(number) for number in found)


def object_ids(truth: NDArray[np.uint8]) -> tuple[int, ...]:
    """Return the ids 1..254 that occur in an array of masks of any shape, ascending."""
    found = np.flatnonzero(np.bincount(truth.ravel(), minlength=256))
    return tuple(int(number) for number in found if number not in (0, IGNORE))


def jaccard(truth: LabelMap, predicted: LabelMap, objects: int | Sequence[int]) -> Scores:
    """Return J = |intersection| / |union| of each object in one frame, [N]; 1 if both masks are empty.

    `objects` are the ids, or a number N for the ids 1..N.
    """
    _check(truth, predicted)
    return np.array([_j_of_object(truth == i, predicted == i) for i in _ids(objects)])


def _j_of_object(truth: Mask, predicted: Mask) -> float:
    union = np.count_nonzero(truth | predicted)
    return np.count_nonzero(truth & predicted) / union if union else 1.0


def boundary_f(truth: LabelMap, predicted: LabelMap, objects: int | Sequence[int], band: float = BAND) -> Scores:
    """Return F, the contour accuracy, of each object in one frame, [N]. `objects` is as in `jaccard`.

    Args:
        band: the largest distance of two contour pixels that match. Below 1 it is a fraction of the frame's diagonal,
            otherwise a number of pixels.
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
    """Return the contour of a mask inside the box `crop`, uint8 0 or 1.

    A pixel is on the contour if it differs from its right, lower or lower right neighbour. At the right and lower edge
    of the frame, only the neighbour along the edge is compared.
    """
    m = np.pad(mask, ((0, 1), (0, 1)), mode="edge")[crop.y0 : crop.y1 + 1, crop.x0 : crop.x1 + 1]
    here = m[:-1, :-1]
    line = (here != m[1:, :-1]) | (here != m[:-1, 1:]) | (here != m[1:, 1:])
    return line.astype(np.uint8)


def _dilate(line: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Dilate `line`, uint8 0 or 1, by the disk x^2 + y^2 <= radius^2.

    `line` is dilated horizontally once for each width of a row of the disk, and the result is shifted to all rows of
    that width. This takes less time than a dilation with a general structuring element.
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
    """Return pairs of a half width and the rows of the disk that have it (offsets from its centre), narrowest first."""
    half = {row: isqrt(radius * radius - row * row) for row in range(-radius, radius + 1)}
    return tuple((width, tuple(r for r in half if half[r] == width)) for width in sorted(set(half.values())))


def _ids(objects: int | Sequence[int]) -> Sequence[int]:
    return range(1, int(objects) + 1) if isinstance(objects, int | np.integer) else objects


def _check(truth: LabelMap, predicted: LabelMap) -> None:
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: shape {predicted.shape}, the truth has {truth.shape}")
