"""Features of pixels: simple ones of colour and texture, and random combinations of these for linear models."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatArray

CHANNELS = 16  # Number of simple features of a pixel.
UNITS = 192  # Number of units of the random layer. With fewer, masks were worse; with more, they were not better.


def compute_pixel_features(lab: NDArray[np.uint8], grey: NDArray[np.uint8]) -> FloatArray:
    """Return simple features of every pixel, [h, w, CHANNELS], each with values of the order of 1.

    They are colour at three scales, edge strength in x and y at two scales, and contrast. `lab` [h, w, 3] and `grey`
    [h, w] are the frame in Lab and in grey.
    """
    colour = lab.astype(np.float32) / 255 * 4 - 2
    light = grey.astype(np.float32) / 255
    edges = np.abs(np.dstack([cv2.Sobel(light, -1, 1, 0), cv2.Sobel(light, -1, 0, 1)])) / 2
    near = cv2.GaussianBlur(colour, (0, 0), 3)
    contrast = np.sqrt(np.maximum(cv2.GaussianBlur(colour * colour, (0, 0), 3) - near * near, 0))
    parts = [
        colour * 1.3,
        cv2.GaussianBlur(colour, (0, 0), 2),
        cv2.GaussianBlur(colour, (0, 0), 6),
        np.sqrt(cv2.GaussianBlur(edges, (0, 0), 1.5)) * 4 - 1,
        np.sqrt(cv2.GaussianBlur(edges, (0, 0), 5)) * 4 - 1,
        contrast * 2 - 0.5,
    ]
    return np.concatenate(parts, axis=2)


def _layer() -> tuple[FloatArray, FloatArray]:
    """Draw the weights [CHANNELS, UNITS] and biases [UNITS] of the random layer from a fixed seed.

    Each unit uses about a third of the features.
    """
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 1, (CHANNELS, UNITS)) * (rng.random((CHANNELS, UNITS)) < 0.35)
    return (weights / np.sqrt(CHANNELS * 0.35) * 1.5).astype(np.float32), rng.uniform(-1.2, 1.2, UNITS).astype(
        np.float32
    )


WEIGHTS, BIASES = _layer()
_WITH_BIASES = np.block([[WEIGHTS, np.zeros((CHANNELS, 1))], [BIASES, np.ones((1, 1))]]).astype(np.float32)


def random_features(pixel_features: FloatArray) -> FloatArray:
    """Apply a layer whose weights are random, but always the same, and a ReLU to pixel features [h, w, CHANNELS].

    Return [h * w, UNITS + 1].

    The last column of the result is 1 everywhere and serves as the intercept of `TextureModel`.
    """
    flat = pixel_features.reshape(-1, CHANNELS)
    lifted = np.hstack([flat, np.ones_like(flat[:, :1])]) @ _WITH_BIASES  # a single pass over the data
    np.maximum(lifted, 0, out=lifted)
    return lifted
