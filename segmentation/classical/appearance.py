"""Models of what an object looks like, which tell for each pixel whether it may belong to the object.

They are fitted by ridge regression in closed form, to pixel features and to histogram cells of colour and place.
All three models solve min_w sum_i c_i (w . phi_i - y_i)^2 + lambda |w|^2 over pixels i with weights c_i, and keep only
the sums of the normal equations. So models of several frames are combined by adding their sums. The models of texture
and of colour of several annotated frames are weighted by distance in time (`blend`):

* `TextureModel`: phi = a fixed random layer of rectified units over `ScaledFrame.pixel_features` (an extreme learning
  machine, Huang et al. 2006), y = +-1; lambda is relative to the mean of the diagonal of the normal matrix.
* `fit_colour_cells`: phi = one-hot vector of the colour's histogram cell; the normal matrix is diagonal, and w is the
  share of object pixels in a cell.
* `fit_place_cells`: the same with cells of colour and place. The place is relative to the object's centre and size, so
  that the model moves and grows with the object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from segmentation.types import FloatArray, FloatMap

TEXTURE_LAMBDA = 1e-3
COLOURS = 16  # Number of cells along each axis of colour in the colour model.
COARSE = 8  # Number of cells along each axis of colour in the model of colour and place.
ACROSS = 18  # Cells of place along each axis, each a quarter of the object's size: 2.2 sizes to either side.
PALETTE_LAMBDA, PLACES_LAMBDA = 20.0, 3.0  # Number of pixels at which a cell weighs as much as the prior of 0.5.


class ObjectExtent(NamedTuple):
    """Centre of mass (y, x) of an object and its size, in pixels of its probability map.

    The size is the side of a square with the object's area.
    """

    y: float
    x: float
    size: float

    @classmethod
    def of(cls, probability: FloatMap) -> ObjectExtent:
        mass = float(probability.sum()) + 1e-6
        height, width = probability.shape
        y = float(probability.sum(axis=1) @ np.arange(height)) / mass
        x = float(probability.sum(axis=0) @ np.arange(width)) / mass
        return cls(y, x, max(int(np.count_nonzero(probability > 0.5)), 30) ** 0.5)


# --- Texture --------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class TextureModel:
    """A linear model that tells an object from its background by the random features of a pixel (ridge regression).

    It keeps the sums of the normal equations over pixels with weights c, features phi and labels y = +-1.
    """

    a: FloatArray  # [U, U] = sum c phi phi^T
    b: FloatArray  # [U] = sum c phi y
    w: FloatArray | None = None

    @classmethod
    def fitted(cls, lifted: FloatArray, probability: FloatArray, weight: FloatArray) -> TextureModel:
        """Fit the model to n pixels: random features [n, U], probability of the object [n] and weight [n].

        The weights are scaled so that object and background have the same total weight.
        """
        inside, outside = weight * probability, weight * (1 - probability)
        c = inside / (2 * inside.sum() + 1e-6) + outside / (2 * outside.sum() + 1e-6)
        root = np.sqrt(c)
        # The product of a matrix with its own transpose costs half of a general product.
        weighted = lifted * root[:, None]
        return cls(weighted.T @ weighted, weighted.T @ (root * (2 * probability - 1)))

    def plus(self, other: TextureModel, keep: float) -> TextureModel:
        return TextureModel(keep * self.a + (1 - keep) * other.a, keep * self.b + (1 - keep) * other.b)

    def __call__(self, lifted: FloatArray) -> FloatArray:
        """Return a score for each of n pixels, about -1 for background and 1 for the object.

        `lifted` are the random features of the pixels, [n, UNITS + 1].
        """
        if self.w is None:
            ridge = TEXTURE_LAMBDA * np.trace(self.a) / len(self.a)
            self.w = np.linalg.solve(self.a + ridge * np.eye(len(self.a), dtype=np.float32), self.b)
        return np.clip(lifted @ self.w, -2, 2)


# --- cells ----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class CellModel:
    """A weighted histogram that tells the share of object pixels in each of its cells.

    This is ridge regression on a one-hot vector. `shape` is the number of cells along each axis, `ridge` the lambda of
    the regression. `n` is the total weight of the pixels in each cell, `y` the weight of those that belong to the
    object.
    """

    shape: tuple[int, ...]
    ridge: float
    n: FloatArray
    y: FloatArray
    w: FloatArray | None = None

    @classmethod
    def fitted(
        cls, shape: tuple[int, ...], ridge: float, index: NDArray[np.int32], probability: FloatMap, weight: FloatMap
    ) -> CellModel:
        count = int(np.prod(shape))
        flat = index.ravel()
        n = np.bincount(flat, weight.ravel(), count).astype(np.float32)
        return cls(shape, ridge, n, np.bincount(flat, (weight * probability).ravel(), count).astype(np.float32))

    def plus(self, other: CellModel, keep: float, gain: float = 1.0) -> CellModel:
        return CellModel(self.shape, self.ridge, keep * self.n + gain * other.n, keep * self.y + gain * other.y)

    def __call__(self, index: NDArray[np.int32]) -> FloatMap:
        """Return, for each pixel, the share of object pixels in its cell and, with less weight, in neighbouring cells.

        It is 0..1, drawn towards 0.5 by `ridge`, and 0.5 where all these cells are empty. `index` is the flat index of
        each pixel's cell.
        """
        if self.w is None:
            n, y = self.n.reshape(self.shape), self.y.reshape(self.shape)
            for axis in range(len(self.shape)):  # Cells share their counts with their neighbours.
                side = 0.25 if len(self.shape) == 5 and axis < 2 else 0.2
                kernel = np.array([side, 1 - 2 * side, side], np.float32)
                n = correlate1d(n, kernel, axis, mode="constant")
                y = correlate1d(y, kernel, axis, mode="constant")
            self.w = ((y + 0.5 * self.ridge) / (n + self.ridge)).ravel()
        found: FloatMap = self.w[index]
        return found


def colour_index(lab: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the flat index of each pixel's colour cell, with COLOURS cells along each of the three Lab axes."""
    q = (lab // (256 // COLOURS)).astype(np.int32)
    return (q[..., 0] * COLOURS + q[..., 1]) * COLOURS + q[..., 2]


def place_index(lab: NDArray[np.uint8], middle: ObjectExtent, top: int = 0, left: int = 0) -> NDArray[np.int32]:
    """Return the flat index of each pixel's cell of place and colour, for a crop of a frame that begins at (top, left).

    `middle` is the position and size of the object, to which places are relative.
    """
    height, width = lab.shape[:2]
    side = max(middle.size / 4, 5)
    y = _along(np.arange(top, top + height), middle.y, side)
    x = _along(np.arange(left, left + width), middle.x, side)
    q = (lab // (256 // COARSE)).astype(np.int32)
    return (((y[:, None] * ACROSS + x[None]) * COARSE + q[..., 0]) * COARSE + q[..., 1]) * COARSE + q[..., 2]


def fit_colour_cells(index: NDArray[np.int32], probability: FloatMap, weight: FloatMap) -> CellModel:
    return CellModel.fitted((COLOURS,) * 3, PALETTE_LAMBDA, index, probability, weight)


def fit_place_cells(index: NDArray[np.int32], probability: FloatMap, weight: FloatMap) -> CellModel:
    return CellModel.fitted((ACROSS, ACROSS, COARSE, COARSE, COARSE), PLACES_LAMBDA, index, probability, weight)


def _along(positions: NDArray[np.int_], centre: float, side: float) -> NDArray[np.int32]:
    return np.clip(np.round((positions - centre) / side) + ACROSS // 2, 0, ACROSS - 1).astype(np.int32)


# --- weights of pixels and of frames --------------------------------------------------------------------------------


def nearness(probability: FloatMap, reach: float) -> FloatMap:
    """Return the weight [h, w] of each pixel when a model is fitted: 1.08 in the object, falling to 0.08 far from it.

    `reach` is the distance in pixels over which the part above 0.08 falls to 1/e.
    """
    outside = (probability <= 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    return np.exp(-distance / reach) + np.float32(0.08)


@dataclass(frozen=True)
class AppearanceSample:
    """The texture model and the colour model (`palette`) of an object, fitted to the annotated frame `frame`."""

    frame: int
    texture: TextureModel
    palette: CellModel


def blend(samples: Iterable[AppearanceSample], frame: int) -> tuple[TextureModel, CellModel]:
    """Combine the models of several annotated frames into a texture model and a colour model for `frame`.

    Annotated frames near `frame` have a higher weight.
    """
    samples = list(samples)
    weights = np.array(
        [1 / (1 + abs(sample.frame - frame) / 10) for sample in samples]
    )  # A frame ten frames away has half the weight.

    def mixed(sums: Iterable[FloatArray]) -> FloatArray:
        return np.tensordot(weights, np.stack(list(sums)), axes=1).astype(np.float32)

    total = np.float32(weights.sum())
    texture = TextureModel(mixed(k.texture.a for k in samples) / total, mixed(k.texture.b for k in samples) / total)
    first = samples[0].palette
    cells = CellModel(
        first.shape, first.ridge, mixed(k.palette.n for k in samples), mixed(k.palette.y for k in samples)
    )
    return texture, cells
