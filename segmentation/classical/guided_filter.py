"""Edge-aware smoothing by the guided filter (He et al., TPAMI 2013), fitted at a small size and applied at a larger
one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.types import FloatArray, FloatMap, Image

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # Entries of a symmetric 3x3 matrix of colour channels.


class Guide:
    """An image whose edges smoothed maps shall follow. What does not depend on the maps is computed once.

    Args:
        image: uint8 RGB [h, w, 3].
        radius: of the square neighbourhood of each local fit, in pixels.
        epsilon: variance of colour (channels 0..1) below which an edge is smoothed away as texture.
    """

    def __init__(self, image: Image, radius: int, epsilon: float) -> None:
        self._size = (2 * radius + 1, 2 * radius + 1)
        self._colour = _planes(image)
        self._mean = self._blurred(self._colour)
        self._inverse = _inverse(self._covariance(), epsilon)

    def fit(self, values: FloatMap) -> GuidedFilter:
        """Fit the locally linear function of colour to a map [h, w], such as a probability map."""
        mean = cv2.blur(values, self._size)
        products = self._blurred([colour * values for colour in self._colour])
        x, y, z = (product - own * mean for product, own in zip(products, self._mean, strict=True))
        aa, bb, cc, ab, ac, bc = self._inverse
        slope = [aa * x + ab * y + ac * z, ab * x + bb * y + bc * z, ac * x + bc * y + cc * z]
        offset = mean - _dot(slope, self._mean)
        return GuidedFilter(np.stack(self._blurred(slope)), cv2.blur(offset, self._size).view(np.ndarray))

    def _blurred(self, planes: list[FloatMap]) -> list[FloatMap]:
        return [cv2.blur(plane, self._size).view(np.ndarray) for plane in planes]

    def _covariance(self) -> list[FloatMap]:
        """Return the six distinct entries of the local covariance matrix of colour, in the order of _PAIRS."""
        products = self._blurred([self._colour[i] * self._colour[j] for i, j in _PAIRS])
        return [product - self._mean[i] * self._mean[j] for product, (i, j) in zip(products, _PAIRS, strict=True)]


@dataclass(frozen=True, eq=False)
class GuidedFilter:
    """A locally linear function from the colour of a pixel to a value: slope [3, h, w] and offset [h, w]."""

    slope: FloatArray
    offset: FloatMap

    @classmethod
    def fitted(cls, values: FloatMap, guide: Image, radius: int, epsilon: float) -> GuidedFilter:
        """Fit the function to `values` [h, w] and the colours of an image. The other arguments are those of `Guide`."""
        return Guide(guide, radius, epsilon).fit(values)

    def drawn(self, image: Image) -> FloatMap:
        """Evaluate the function on an image [H, W, 3], which may be larger than the guide. Return [H, W], 0..1."""
        height, width = image.shape[:2]
        slope, offset = list(self.slope), self.offset
        if offset.shape != (height, width):
            *slope, offset = (cv2.resize(plane, (width, height)).view(np.ndarray) for plane in (*slope, offset))
        return np.clip(_dot(slope, _planes(image)) + offset, 0, 1)


def _planes(image: Image) -> list[FloatMap]:
    """Return the channels of an image as separate maps in 0..1, because OpenCV blurs such maps faster."""
    return [plane.astype(np.float32) * np.float32(1 / 255) for plane in cv2.split(image)]


def _dot(a: list[FloatMap], b: list[FloatMap]) -> FloatMap:
    result: FloatMap = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return result


def _inverse(matrix: list[FloatMap], epsilon: float) -> list[FloatMap]:
    """Invert a symmetric 3x3 matrix for every pixel, after adding `epsilon` to its diagonal.

    The matrix and the result are six maps in the order of _PAIRS.
    """
    aa, bb, cc, ab, ac, bc = matrix
    aa, bb, cc = aa + epsilon, bb + epsilon, cc + epsilon
    adjugate = [
        bb * cc - bc * bc,
        aa * cc - ac * ac,
        aa * bb - ab * ab,
        ac * bc - ab * cc,
        ab * bc - ac * bb,
        ab * ac - aa * bc,
    ]
    determinant = aa * adjugate[0] + ab * adjugate[3] + ac * adjugate[4]
    return [entry / determinant for entry in adjugate]
