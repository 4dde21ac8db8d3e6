"""Corrects the probability map of the cutter by the object's own colours and texture.

The cutter's network has learned what objects look like in general. Two appearance models, of texture and of colour, are
fitted to the mask that the network found, and tell what this object looks like. Where the network is uncertain, the
predictions of the two models are added to that of the network.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.classical.appearance import TextureModel, colour_index, fit_colour_cells, nearness
from segmentation.classical.fusion import logit, sigmoid
from segmentation.classical.guided_filter import GuidedFilter
from segmentation.classical.object_tracker import SMOOTH_EPSILON, SMOOTH_RADIUS, even_box, halved, on_half
from segmentation.classical.pixel_features import random_features
from segmentation.classical.scaled_frames import SPARSE, ScaledFrame
from segmentation.masks import box_of
from segmentation.types import FloatMap

TEXTURE, COLOUR = 1.5, 1.6  # Weights of the two models, relative to the network's logit.
TIMES = 2  # Number of iterations, each with models fitted to the last result; a third iteration gains nothing.
SURE = 0.005  # The network's probabilities are clipped to at least this distance from 0 and 1.
AROUND = 20  # Margin around the mask in which the result may differ, in pixels.
NEAR = 30  # Distance in pixels from the object at which a pixel weighs 1/e. With 60, patterned objects shrink.
FAINT = 0.05  # Pixels with a lower probability are ignored.


def snap_to_appearance(scaled: ScaledFrame, probability: FloatMap) -> FloatMap:
    """Return the probability map [h, w] of an object, corrected by its colours and texture. `scaled` is the frame."""
    found = box_of(probability > FAINT)
    if found is None:
        return probability
    box = even_box(found.grown(AROUND, *probability.shape), probability.shape)
    inside, everywhere = random_features(scaled.pixel_features[on_half(box)]), scaled.sparse_features
    colours, all_colours = colour_index(scaled.lab[box.slices]), colour_index(scaled.lab[::2, ::2])
    guide = scaled.grid[box.slices]
    height, width = colours.shape
    network = logit(probability[box.slices], SURE)
    doubt = 4 * probability[box.slices] * (1 - probability[box.slices])
    whole = probability.astype(np.float32)
    for _ in range(TIMES):
        weight = nearness(whole, NEAR)
        texture = TextureModel.fitted(everywhere, halved(whole).ravel()[::SPARSE], halved(weight).ravel()[::SPARSE])
        alike = texture(inside).reshape((height + 1) // 2, (width + 1) // 2)
        known = fit_colour_cells(all_colours, whole[::2, ::2], 4 * weight[::2, ::2])
        own = TEXTURE * cv2.resize(alike, (width, height)) + COLOUR * logit(known(colours), 0.05)
        fitted = GuidedFilter.fitted(sigmoid(network + doubt * own), guide, SMOOTH_RADIUS, SMOOTH_EPSILON)
        whole[box.slices] = fitted.drawn(guide)
    return whole
