"""Computes the probability that a pixel belongs to an object, by logistic regression on measurements called cues.

A cue is a map of one measurement per pixel, such as the warped mask or the likeness of its colour to the object.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatMap

# Weight of each cue. Fitted to pixels of the 30 train sequences of DAVIS-2016 (22 frames each, 288 pixels high). The
# cues were recorded while propagating with these weights (fitted three times in turn), so that the training pixels
# contain the errors of propagation. "Model" is one of those of `appearance`.
WEIGHTS = {
    "warped": 0.23,  # logit of the warped mask
    "trust": 0.24,  # trust of the flow, -1..1
    "warped where trusted": 0.06,
    "depth": 0.03,  # signed distance to the warped outline, in units of 8 pixels
    "relative depth": 0.12,  # the same distance in units of a quarter of the object's size
    "outline": -0.11,  # 1 on the warped outline, falling to 0 away from it
    "palette": 0.27,  # logit of the colour model
    "palette around": 0.31,  # its mean over 7x7 pixels
    "places": 0.26,  # logit of the model of colour and place
    "texture": 0.34,  # score of the texture model of annotated frames, -4..4
    "recent texture": 0.25,  # score of the texture model of the last frames, -4..4
    "motion": 0.31,  # see `motion.object_motion_score`
    "motion around": 0.11,  # its mean over 9x9 pixels
    "distance": -0.18,  # distance to the nearest annotated frame in units of ten frames, at most 2
    "warped around": 0.03,  # logit of the warped mask's mean over 9x9 pixels
    "unseen": -0.42,  # 3 where the pixel came from outside the adjacent frame, else 0
}
BIAS = 0.0


def logit(probability: FloatMap, floor: float = 0.02) -> FloatMap:
    p = np.clip(probability, floor, 1 - floor)
    odds: FloatMap = np.log(p / (1 - p))
    return odds


def sigmoid(value: FloatMap) -> FloatMap:
    return (1 / (1 + np.exp(-value))).astype(np.float32)


def signed_distance(mask: NDArray[np.bool_]) -> FloatMap:
    """Return the distance of each pixel to the outline of `mask` [h, w] in pixels, positive inside."""
    inside = mask.astype(np.uint8)
    found = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return found.view(np.ndarray)


def fuse(cues: dict[str, FloatMap | float]) -> FloatMap:
    """Return an object's probability map [h, w]. `cues` has a map [h, w] or a number for each name in `WEIGHTS`."""
    evidence: FloatMap = np.float32(BIAS) + np.zeros_like(cues["warped"])
    for name, weight in WEIGHTS.items():
        evidence = evidence + np.float32(weight) * cues[name]
    return sigmoid(evidence)
