"""Interpolates masks of an object: the shapes in the frames between two frames whose masks are right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, distance_transform_edt, shift

from segmentation.types import BinaryMask, FloatMap


def between(first: BinaryMask, last: BinaryMask, share: float) -> BinaryMask:
    """Return the shape of an object at the fraction `share` of the time between two frames with the masks given.

    Its centre lies on the straight line between the centres of both masks. Both shapes are moved there, and their
    signed distances to the outline are averaged with the weights 1 - `share` and `share`. An object that moves without
    changing its shape therefore keeps it.

    Args:
        first: bool [H, W]; the shape for `share` 0.
        last: bool [H, W]; the shape for `share` 1.
        share: time as a fraction, 0..1: 0 at the frame of `first`, 1 at the frame of `last`.

    Returns:
        bool [H, W]. If one of the masks is empty, the result is `first` for `share` below 0.5 and `last` from 0.5 on.

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
    """Return the shape at the fraction `share` of the way from `first` to `last`.

    Both masks have pixels and are cropped to the box around both shapes.
    """
    start, end = (np.array(center_of_mass(mask)) for mask in (first, last))
    centre = start + share * (end - start)
    mixed = _distance(first, centre - start) * (1 - share) + _distance(last, centre - end) * share
    return mixed > 0


def _distance(mask: BinaryMask, by: NDArray[np.float64]) -> FloatMap:
    """Move a mask by `by` = (y, x) pixels, and return each pixel's distance to its outline: positive inside, [H, W]."""
    pad = int(np.ceil(np.abs(by).max())) + 1
    wide = np.pad(mask, pad)
    signed = (distance_transform_edt(wide) - distance_transform_edt(~wide)).astype(np.float32)
    signed -= np.where(wide, 0.5, -0.5).astype(np.float32)  # The outline runs between pixels.
    signed = shift(signed, by, order=1, mode="nearest")
    return signed[pad:-pad, pad:-pad]
