"""How far every pixel is like what a stroke runs through: colour, texture, motion, and how near it is.

A GrabCut that starts from a box alone takes a third of its pixels from the wrong side; started from this it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from segmentation.classical.appearance import COLOURS, TextureModel, colour_index, random_features
from segmentation.classical.fusion import sigmoid
from segmentation.classical.motion import CameraMotion, Motion, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame, compute_pixel_features
from segmentation.masks import Box

Mask = NDArray[np.bool_]
Map = NDArray[Any]  # float32 [h, w]

# Logistic weights of the cues in the order of `_cues`, fitted to the 30 train sequences of DAVIS-2016 (288 pixels high,
# three frames of each, a stroke through the middle of the object).
WEIGHTS = np.array([0.56, -0.73, -0.04, 0.57, 0.05, 0.10, 0.66, 0.29, 0.23, -0.20], np.float32)
BIAS = 0.17


SAME = 0.1  # weight of a pixel that is known to belong, but was not drawn on now


@dataclass(frozen=True, eq=False)
class Seeds:
    """What is known [h, w]: pixels under the strokes, under strokes of something else, and pixels that belong to the
    same thing already."""

    positive: Mask
    negative: Mask
    same: Mask


@dataclass(frozen=True, eq=False)
class ScribbleDistances:
    """Distances from the strokes: to the lines, to their box, and the longest side of that box."""

    lines: Map
    box: Map
    side: float

    @classmethod
    def of(cls, positive: Mask, box: Box) -> ScribbleDistances:
        height, width = positive.shape
        side = max(box.y1 - box.y0, box.x1 - box.x0, 0.05 * max(height, width))
        y, x = np.mgrid[0:height, 0:width]
        beside = np.maximum(np.maximum(box.x0 - x, x - box.x1 + 1), 0)
        above = np.maximum(np.maximum(box.y0 - y, y - box.y1 + 1), 0)
        lines = cv2.distanceTransform(1 - positive.astype(np.uint8), cv2.DIST_L2, 5)
        return cls(lines.view(np.ndarray), np.hypot(beside, above).astype(np.float32), side)

    def background(self) -> Mask:
        """Pixels that are taken for background while nothing else is known: those well outside the box."""
        outside: Mask = self.box > 0.15 * self.side + 0.03 * max(self.box.shape)
        if outside.mean() >= 0.04:
            return outside
        farthest: Mask = self.lines > np.quantile(self.lines, 0.85)
        return farthest


def object_likelihood(scaled: ScaledFrame, motion: Motion | None, seeds: Seeds, reach: ScribbleDistances) -> Map:
    """Probability [h, w] that a pixel belongs to what the strokes `seeds.positive` are drawn on."""
    far = reach.background() & ~seeds.same
    near = np.exp(-reach.box / (0.6 * reach.side)) * 0.9 + 0.1  # background that is near says more
    drawn = seeds.positive | seeds.negative
    weight = np.where(drawn, 1, np.where(far, near, np.where(seeds.same, SAME, 0))).astype(np.float32)
    label = (seeds.positive | (seeds.same & ~seeds.negative)).astype(np.float32)
    cues = _cues(scaled, motion, label, weight, reach)
    return sigmoid(cues @ WEIGHTS + np.float32(BIAS))


def _cues(
    scaled: ScaledFrame, motion: Motion | None, label: Map, weight: Map, reach: ScribbleDistances
) -> NDArray[Any]:
    longest = max(label.shape)
    colour = _colour_ratio(scaled, label, weight)
    lifted = random_features(compute_pixel_features(scaled.lab, scaled.grey))
    texture = 2 * TextureModel.fitted(lifted, label.ravel(), weight.ravel())(lifted).reshape(label.shape)
    moves = np.zeros_like(label)
    if motion is not None:
        camera = CameraMotion.of(motion, (label < 0.3) & (weight > 0.3))
        moves = object_motion_score(motion, camera, label)
    cues = [
        np.minimum(reach.lines / reach.side * 4, 4),
        reach.lines / longest * 10,
        np.minimum(reach.box / reach.side * 4, 4),
        colour,
        cv2.blur(colour, (7, 7)),
        texture,
        cv2.blur(texture, (7, 7)),
        moves / 2,
        cv2.blur(moves, (7, 7)) / 2,
        np.exp(-reach.box / reach.side * 8),
    ]
    return np.stack(cues, axis=2).astype(np.float32)


def _colour_ratio(scaled: ScaledFrame, label: Map, weight: Map) -> Map:
    """Logarithm of how much more frequent a pixel's colour is under the strokes than in the background, -4..4."""
    index = colour_index(scaled.lab)

    def frequency(weights: Map) -> NDArray[np.float64]:
        counts = np.bincount(index.ravel(), weights.ravel(), COLOURS**3).reshape((COLOURS,) * 3)
        smooth = gaussian_filter(counts, 0.9, mode="nearest")
        return (smooth / max(smooth.sum(), 1e-9)).ravel()

    ratio = np.log((frequency(weight * label) + 1e-4) / (frequency(weight * (1 - label)) + 1e-4))
    found: Map = np.clip(ratio, -4, 4).astype(np.float32)[index]
    return found
