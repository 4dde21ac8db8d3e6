"""Soft mattes: how much of each pixel an object covers, where a mask only says yes or no.

A pixel at the edge of an object shows a mixture of the object and what is behind it. The object's share (alpha) is
estimated by a guided filter (He et al., TPAMI 2013): around every pixel, alpha is a linear function of colour. This
module needs only NumPy, so that writers of files can use it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation.types import BinaryMask, FloatMap, Image

REACH = 0.004  # Half the width of the soft edge, as a share of the diagonal of the frame: 4 pixels at 480p.
EPSILON = 1e-4  # Variance of colour (channels 0..1) below which the edge is smoothed and does not follow the frame.


def soft_matte(picture: Image, mask: BinaryMask) -> FloatMap:
    """Return the alpha of an object, float32 [H, W]: 1 inside, 0 outside, values between near the edge of its mask.

    Args:
        picture: the frame, uint8 RGB [H, W, 3].
        mask: the pixels of the object, bool [H, W].

    Raises:
        ValueError: the frame and the mask have different sizes.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f"mask: {mask.shape} is not the size of the picture, {picture.shape[:2]}")
    matte = mask.astype(np.float32)
    radius = max(2, round(REACH * float(np.hypot(*mask.shape))))
    edge = _spread(mask, radius) & _spread(~mask, radius)
    rows, columns = np.flatnonzero(edge.any(1)), np.flatnonzero(edge.any(0))
    if not len(rows):
        return matte
    part = tuple(slice(max(0, found[0] - 2 * radius), found[-1] + 2 * radius + 1) for found in (rows, columns))
    alpha = _guided(picture[part].astype(np.float64) / 255, matte[part].astype(np.float64), edge[part], radius)
    matte[part] = np.where(edge[part], alpha, matte[part])
    return matte


def _spread(mask: BinaryMask, radius: int) -> BinaryMask:
    """Return the pixels whose square neighbourhood contains a pixel of the mask."""
    found: BinaryMask = _mean(mask.astype(np.float64), radius) > 1e-9
    return found


def _guided(
    colours: NDArray[np.float64], values: NDArray[np.float64], edge: BinaryMask, radius: int
) -> NDArray[np.float64]:
    """Smooth a map [h, w] along the edges of `colours` [h, w, 3], each 0..1. The result is right where `edge` is."""
    mean, average = _mean(colours, radius), _mean(values, radius)
    products = _mean(colours[..., :, None] * colours[..., None, :], radius)
    wanted = _mean(colours * values[..., None], radius) - mean * average[..., None]
    near = _spread(edge, radius)  # The equations are solved only for pixels whose solutions the edge needs.
    covariance = products[near] - mean[near][:, :, None] * mean[near][:, None, :] + EPSILON * np.eye(3)
    slope = np.zeros_like(colours)
    slope[near] = np.linalg.solve(covariance, wanted[near][..., None])[..., 0]
    offset = average - (slope * mean).sum(-1)
    result: NDArray[np.float64] = (_mean(slope, radius) * colours).sum(-1) + _mean(offset, radius)
    return result.clip(0, 1)


def _mean(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return the mean over the square neighbourhood of every pixel of [h, w, ...], clipped at the border."""
    for axis in (0, 1):
        count = values.shape[axis]
        sums = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis)], axis)
        first = np.maximum(np.arange(count) - radius, 0)
        last = np.minimum(np.arange(count) + radius + 1, count)
        widths = (last - first).reshape((-1,) + (1,) * (values.ndim - 1 - axis))
        values = (sums.take(last, axis) - sums.take(first, axis)) / widths
    return values
