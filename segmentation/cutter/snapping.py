"""What the cutter found, made to agree with itself: pixels go where pixels of their colour and texture are.

The network has learned what objects look like; what this one looks like, nobody knows better than its own mask. Two
models of classical vision are fitted to it, in closed form, and have their say beside the network.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.classical.appearance import TextureModel, colour_index, fit_colour_cells, nearness, random_features
from segmentation.classical.fusion import logit, sigmoid
from segmentation.classical.guided_filter import GuidedFilter
from segmentation.classical.object_tracker import SMOOTH_EPSILON, SMOOTH_RADIUS, even_box, halved, on_half
from segmentation.classical.scaled_frames import CHANNELS, ScaledFrame
from segmentation.masks import box_of
from segmentation.types import FloatMap

TEXTURE, COLOUR = 1.5, 1.6  # weights against a logit of the network
TIMES = 2  # each time with models of what was found the time before; a third time gains nothing
SURE = 0.005  # the network's probabilities are taken to be this far from 0 and 1 at least
SPARSE = 6  # of so many pixels on half the grid texture learns from one: still twenty times its unknowns
AROUND = 20  # grid pixels around what was found in which anything may change
NEAR = 30  # grid pixels at which a pixel counts a third in the fits: with 60 masks of patterned objects shrink
FAINT = 0.05  # what is fainter was not found


def snap_to_appearance(scaled: ScaledFrame, probability: FloatMap) -> FloatMap:
    """The probability of an object on the grid [h, w]: where the network is in doubt, its own looks have a say."""
    found = box_of(probability > FAINT)
    if found is None:
        return probability
    box = even_box(found.grown(AROUND, *probability.shape), probability.shape)
    inside, everywhere = (
        random_features(scaled.pixel_features[on_half(box)]),
        random_features(scaled.pixel_features.reshape(-1, CHANNELS)[::SPARSE]),
    )
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
