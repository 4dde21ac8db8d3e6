"""Estimates how much every pixel resembles the scribbled pixels, by colour, texture, motion and distance.

GrabCut starts from this likelihood map, because from a bounding box alone it finds much that is not the object.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from segmentation.classical.appearance import COLOURS, TextureModel, colour_index
from segmentation.classical.fusion import sigmoid
from segmentation.classical.motion import CameraMotion, Motion, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.masks import Box
from segmentation.types import BinaryMask, FloatArray, FloatMap

# Weights of a logistic regression on the maps that `_cues` returns, in their order. They are fitted to the 30 train
# sequences of DAVIS-2016 (288 pixels high, three frames of each, a scribble through the middle of the object).
WEIGHTS = np.array([0.56, -0.73, -0.04, 0.57, 0.05, 0.10, 0.66, 0.29, 0.23, -0.20], np.float32)
BIAS = 0.17


# The texture model is fitted to the pixels under scribbles, and to every third of all others. These are many times as
# many as its unknowns, and a fit to all pixels would take longer.
SPARSE = 3
SAME = 0.1  # Weight in the fits of a pixel that already belongs to the object but is under no new scribble.


@dataclass(frozen=True, eq=False)
class Seeds:
    """The pixels [h, w] of which it is known whether they belong to an object.

    `positive` are pixels under the object's scribbles, `negative` pixels under all other scribbles, and `same` pixels
    that already belong to the object's mask.
    """

    positive: BinaryMask
    negative: BinaryMask
    same: BinaryMask


@dataclass(frozen=True, eq=False)
class ScribbleDistances:
    """Distances in pixels of each pixel to an object's scribbles (`lines`) and to their bounding box (`box`), [h, w].

    `side` is the longest side of that box in pixels, but at least 5 % of the frame's longer side.
    """

    lines: FloatMap
    box: FloatMap
    side: float

    @classmethod
    def of(cls, positive: BinaryMask, box: Box) -> ScribbleDistances:
        height, width = positive.shape
        side = max(box.y1 - box.y0, box.x1 - box.x0, 0.05 * max(height, width))
        y, x = np.mgrid[0:height, 0:width]
        beside = np.maximum(np.maximum(box.x0 - x, x - box.x1 + 1), 0)
        above = np.maximum(np.maximum(box.y0 - y, y - box.y1 + 1), 0)
        lines = cv2.distanceTransform(1 - positive.astype(np.uint8), cv2.DIST_L2, 5)
        return cls(lines.view(np.ndarray), np.hypot(beside, above).astype(np.float32), side)

    def background(self) -> BinaryMask:
        """Return the pixels [h, w] far outside the bounding box of the object's scribbles. They count as background, as
        nothing else is known of them.
        """
        outside: BinaryMask = self.box > 0.15 * self.side + 0.03 * max(self.box.shape)
        if outside.mean() >= 0.04:
            return outside
        farthest: BinaryMask = self.lines > np.quantile(self.lines, 0.85)
        return farthest


def object_likelihood(scaled: ScaledFrame, motion: Motion | None, seeds: Seeds, reach: ScribbleDistances) -> FloatMap:
    """Return the probability [h, w] that a pixel belongs to the object under the scribbles `seeds.positive`.

    `motion` is that of the frame to an adjacent frame (None: unknown), `reach` the distances to the scribbles.
    """
    far = reach.background() & ~seeds.same
    near = np.exp(-reach.box / (0.6 * reach.side)) * 0.9 + 0.1  # Near background has a higher weight.
    drawn = seeds.positive | seeds.negative
    weight = np.where(drawn, 1, np.where(far, near, np.where(seeds.same, SAME, 0))).astype(np.float32)
    label = (seeds.positive | (seeds.same & ~seeds.negative)).astype(np.float32)
    cues = _cues(scaled, motion, label, weight, drawn, reach)
    return sigmoid(cues @ WEIGHTS + np.float32(BIAS))


def _cues(
    scaled: ScaledFrame,
    motion: Motion | None,
    label: FloatMap,
    weight: FloatMap,
    drawn: BinaryMask,
    reach: ScribbleDistances,
) -> FloatArray:
    longest = max(label.shape)
    colour = _colour_ratio(scaled, label, weight)
    texture = 2 * _texture(scaled.lifted_features, label, weight, drawn)
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


def _texture(lifted: FloatArray, label: FloatMap, weight: FloatMap, drawn: BinaryMask) -> FloatMap:
    """Return a score for each pixel [h, w], about -1 where it looks like the background and 1 where like the object.

    Args:
        lifted: the random features of all pixels, [h * w, UNITS + 1].
        label: 1 for pixels of the object, [h, w].
        weight: the weight of each pixel in the fit, [h, w].
        drawn: the pixels under scribbles, [h, w].
    """
    every = np.arange(weight.size).reshape(weight.shape) % SPARSE == 0
    used = (drawn | every) & (weight > 0)
    counted = np.where(drawn, weight, SPARSE * weight)[used]
    return TextureModel.fitted(lifted[used.ravel()], label[used], counted)(lifted).reshape(label.shape)


def _colour_ratio(scaled: ScaledFrame, label: FloatMap, weight: FloatMap) -> FloatMap:
    """Return for each pixel [h, w] how much more frequent its colour is in the object than in the background.

    It is the logarithm of the ratio of frequencies, -4..4. `label` is 1 for pixels of the object, `weight` the weight
    of each pixel in the count.
    """
    index = colour_index(scaled.lab)

    def frequency(weights: FloatMap) -> NDArray[np.float64]:
        counts = np.bincount(index.ravel(), weights.ravel(), COLOURS**3).reshape((COLOURS,) * 3)
        smooth = gaussian_filter(counts, 0.9, mode="nearest")
        return (smooth / max(smooth.sum(), 1e-9)).ravel()

    ratio = np.log((frequency(weight * label) + 1e-4) / (frequency(weight * (1 - label)) + 1e-4))
    found: FloatMap = np.clip(ratio, -4, 4).astype(np.float32)[index]
    return found
