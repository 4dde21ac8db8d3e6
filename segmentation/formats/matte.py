"""Soft mattes: how much of each pixel an object covers, where a mask only says yes or no.

A pixel at the edge of an object shows a mixture of the object and what is behind it. The object's share (alpha) is
estimated by a guided filter (He et al., TPAMI 2013): around every pixel, alpha is a linear function of colour. This
module needs only NumPy, so that writers of files can use it.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segmentation.types import BinaryMask, FloatMap, Image

REACH = 0.004  # Half the width of the soft edge, as a share of the diagonal of the frame: 4 pixels at 480p.
EPSILON = 1e-4  # Variance of colour (channels 0..1) below which the edge is smoothed and does not follow the frame.
BAND_ROWS = 128  # Frames are computed in bands of rows, so that the memory does not grow with their height.

Number = TypeVar("Number", np.float64, np.int32)


def soft_matte(picture: Image, mask: BinaryMask, reach: int | None = None) -> FloatMap:
    """Return the alpha of an object, float32 [H, W]: 1 inside, 0 outside, values between near the edge of its mask.

    Args:
        picture: the frame, uint8 RGB [H, W, 3].
        mask: the pixels of the object, bool [H, W].
        reach: half the width of the soft edge in pixels, 0 for a hard edge; None: REACH of the frame's diagonal, and at
            least 2 pixels.

    Raises:
        ValueError: the frame and the mask have different sizes.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f"mask: {mask.shape} is not the size of the picture, {picture.shape[:2]}")
    matte = mask.astype(np.float32)
    radius = max(2, round(REACH * float(np.hypot(*mask.shape)))) if reach is None else reach
    if not radius:
        return matte
    edge = _spread(mask, radius) & _spread(~mask, radius)
    rows, columns = np.flatnonzero(edge.any(1)), np.flatnonzero(edge.any(0))
    if not len(rows):
        return matte
    columns_used = slice(max(0, columns[0] - 2 * radius), columns[-1] + 2 * radius + 1)
    for top in range(rows[0], rows[-1] + 1, BAND_ROWS):
        inside = (slice(top, top + BAND_ROWS), columns_used)
        if not edge[inside].any():
            continue
        # Alpha depends on pixels at a distance of up to twice the radius.
        first = max(0, top - 2 * radius)
        part = (slice(first, top + BAND_ROWS + 2 * radius), columns_used)
        alpha = _guided(picture[part].astype(np.float64) / 255, mask[part].astype(np.float64), edge[part], radius)
        alpha = alpha[top - first : top - first + BAND_ROWS]
        matte[inside] = np.where(edge[inside], alpha, matte[inside])
    return matte


def _spread(mask: BinaryMask, radius: int) -> BinaryMask:
    """Return the pixels whose square neighbourhood contains a pixel of the mask."""
    for axis in (0, 1):
        mask = _sum(mask.astype(np.int32), radius, axis) > 0
    return mask


def _guided(
    colours: NDArray[np.float64], values: NDArray[np.float64], edge: BinaryMask, radius: int
) -> NDArray[np.float64]:
    """Smooth a map [h, w] along the edges of `colours` [h, w, 3], each 0..1. The result is valid only at the pixels of
    `edge`.
    """
    near = _spread(edge, radius)  # The equations are solved only for pixels whose solutions the edge needs.
    mean, average = _mean(colours, radius), _mean(values, radius)
    wanted = np.empty((np.count_nonzero(near), 3))
    covariance = np.empty((len(wanted), 3, 3))
    for a in range(3):
        wanted[:, a] = _mean(colours[..., a] * values, radius)[near] - (mean[..., a] * average)[near]
        for b in range(a, 3):
            product = _mean(colours[..., a] * colours[..., b], radius)[near]
            covariance[:, a, b] = covariance[:, b, a] = product - (mean[..., a] * mean[..., b])[near]
    covariance += EPSILON * np.eye(3)
    slope = np.zeros_like(colours)
    slope[near] = np.linalg.solve(covariance, wanted[..., None])[..., 0]
    offset = average - (slope * mean).sum(-1)
    result: NDArray[np.float64] = (_mean(slope, radius) * colours).sum(-1) + _mean(offset, radius)
    return result.clip(0, 1)


def _mean(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return the mean over the square neighbourhood of every pixel of [h, w, ...], clipped at the border."""
    for axis in (0, 1):
        at = np.arange(values.shape[axis])
        widths = np.minimum(at + radius + 1, len(at)) - np.maximum(at - radius, 0)
        values = _sum(values, radius, axis) / widths.reshape((-1,) + (1,) * (values.ndim - 1 - axis))
    return values


def _sum(values: NDArray[Number], radius: int, axis: int) -> NDArray[Number]:
    """Return, for each element, the sum of the elements at most `radius` away along an axis. The border clips them."""
    at = np.arange(values.shape[axis])
    padding = [(int(each == axis), 0) for each in range(values.ndim)]
    sums = np.pad(values.cumsum(axis, dtype=values.dtype), padding)
    last, first = np.minimum(at + radius + 1, len(at)), np.maximum(at - radius, 0)
    found: NDArray[Number] = sums.take(last, axis) - sums.take(first, axis)
    return found
