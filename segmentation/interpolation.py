"""Shapes between two masks of an object, for frames between two that a person made right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, distance_transform_edt, shift

from segmentation.types import BinaryMask, FloatMap


def between(first: BinaryMask, last: BinaryMask, share: float) -> BinaryMask:
    """Return the shape at `share` of the way from one mask to another one.

    Both shapes are moved to the place where the centre of the object is by then, and their signed distances to the
    outline are mixed there: the outline moves evenly from the one to the other, and a shape that only moves keeps its
    form.

    Args:
        first: bool [H, W]; the shape for `share` 0.
        last: bool [H, W]; the shape for `share` 1.
        share: 0..1.

    Returns:
        bool [H, W]. If one mask is empty, it is the other one up to the middle of the way and empty beyond it.

    Raises:
        ValueError: the masks differ in size, or `share` is outside of 0..1.
    """
    if first.shape != last.shape:
        raise ValueError(f"first and last: expected one size, got {first.shape} and {last.shape}")
    if not 0 <= share <= 1:
        raise ValueError(f"share: {share} is outside of 0..1")
    if not first.any() or not last.any():
        return (first if share < 0.5 else last).copy()
    rows, columns = (np.flatnonzero((first | last).any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    labels = np.zeros_like(first)
    labels[box] = _mixed(first[box], last[box], share)
    return labels


def _mixed(first: BinaryMask, last: BinaryMask, share: float) -> BinaryMask:
    """Mix two shapes, neither of them empty, in the box around both. The shapes between them lie inside it."""
    start, end = (np.array(center_of_mass(mask)) for mask in (first, last))
    centre = start + share * (end - start)
    mixed = _distance(first, centre - start) * (1 - share) + _distance(last, centre - end) * share
    return mixed > 0


def _distance(mask: BinaryMask, by: NDArray[np.float64]) -> FloatMap:
    """Return the signed distance to the outline of a mask that is moved `by` (y, x) pixels: positive inside."""
    pad = int(np.ceil(np.abs(by).max())) + 1
    wide = np.pad(mask, pad)
    signed = (distance_transform_edt(wide) - distance_transform_edt(~wide)).astype(np.float32)
    signed -= np.where(wide, 0.5, -0.5).astype(np.float32)  # The outline runs between pixels.
    signed = shift(signed, by, order=1, mode="nearest")
    return signed[pad:-pad, pad:-pad]
