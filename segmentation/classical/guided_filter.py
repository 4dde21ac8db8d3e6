"""Edge-aware smoothing by the guided filter (He et al., TPAMI 2013), fitted at a small size and applied at a larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatArray, FloatMap, Image


@dataclass(frozen=True, eq=False)
class GuidedFilter:
    """A locally linear function from the colour of a pixel to a value: slope [h, w, 3] and offset [h, w]."""

    slope: FloatArray
    offset: FloatMap

    @classmethod
    def fitted(cls, values: FloatMap, guide: Image, radius: int, epsilon: float) -> GuidedFilter:
        """Fit the function to `values` [h, w] and the colours of the image `guide` [h, w, 3], uint8.

        Args:
            values: the map to smooth, such as a probability map.
            guide: the image whose edges the smoothed values follow.
            radius: of the square neighbourhood of each local fit, in pixels.
            epsilon: variance of colour (channels 0..1) below which an edge is smoothed away as texture.
        """
        size = (2 * radius + 1, 2 * radius + 1)
        colour = guide.astype(np.float32) / 255
        mean_c, mean_v = cv2.blur(colour, size), cv2.blur(values, size)
        covariance = cv2.blur(colour * values[..., None], size) - mean_c * mean_v[..., None]
        slope = _solve(_variance(colour, mean_c, size) + epsilon * _DIAGONAL, covariance)
        offset = mean_v - (slope * mean_c).sum(axis=2)
        return cls(cv2.blur(slope, size).view(np.ndarray), cv2.blur(offset, size).view(np.ndarray))

    def drawn(self, image: Image) -> FloatMap:
        """Evaluate the function on an image [H, W, 3], which may be larger than the guide. Return [H, W], 0..1."""
        height, width = image.shape[:2]
        slope: NDArray[Any] = self.slope
        offset: NDArray[Any] = self.offset
        if offset.shape != (height, width):
            slope, offset = cv2.resize(slope, (width, height)), cv2.resize(offset, (width, height))
        colour = image.astype(np.float32) / 255
        return np.clip(np.einsum("ijk,ijk->ij", slope, colour) + offset, 0, 1)


_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_DIAGONAL = np.array([1, 1, 1, 0, 0, 0], np.float32)


def _variance(colour: NDArray[Any], mean: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return the six distinct entries of the local covariance matrix of colour, [h, w, 6], in the order of _PAIRS.

    `mean` is the local mean of `colour`, `size` the (width, height) of the neighbourhood.
    """
    products = np.dstack([colour[..., i] * colour[..., j] for i, j in _PAIRS])
    means = np.dstack([mean[..., i] * mean[..., j] for i, j in _PAIRS])
    # cv2.blur takes at most four channels.
    blurred = np.dstack([cv2.blur(products[..., :3], size), cv2.blur(products[..., 3:], size)])
    return blurred - means


def _solve(matrix: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """Solve matrix @ x = right for every pixel, by the adjugate of the symmetric 3x3 matrix.

    `matrix` [h, w, 6] has the entries in the order of _PAIRS, `right` and the result are [h, w, 3].
    """
    rr, gg, bb, rg, rb, gb = (matrix[..., i] for i in range(6))
    a, b, c = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    d, e, f = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    x, y, z = (right[..., i] for i in range(3))
    scale = 1 / (rr * a + rg * b + rb * c)
    return np.dstack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z]) * scale[..., None]
