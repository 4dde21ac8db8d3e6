"""Turns the cues of a pixel into the probability that it belongs to the object, by logistic regression."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatMap

# Fitted to pixels of the 30 train sequences of DAVIS-2016 (22 frames each, 288 pixels high). The cues were recorded
# while
# propagating with these weights (fitted three times in turn), so that the examples contain the errors of propagation.
WEIGHTS = {
    "warped": 0.23,  # logit of the warped mask
    "trust": 0.24,  # trust of the flow, -1..1
    "warped where trusted": 0.06,
    "depth": 0.03,  # signed distance to the warped outline, 8 grid pixels = 1
    "relative depth": 0.12,  # the same, with a quarter of the object's size = 1
    "outline": -0.11,  # 1 on the warped outline
    "palette": 0.27,  # logit of the model
    "palette around": 0.31,  # the same, mean over 7x7
    "places": 0.26,  # logit of the model
    "texture": 0.34,  # score of the model of annotated frames, -4..4
    "recent texture": 0.25,  # score of the model of the last frames
    "motion": 0.31,  # see `motion.object_motion_score`
    "motion around": 0.11,  # the same, mean over 9x9
    "distance": -0.18,  # distance to the interacted frame, ten frames = 1, at most 2
    "warped around": 0.03,  # logit of the warped mask's mean over 9x9
    "unseen": -0.42,  # 3 where the pixel was outside the neighbour
}
BIAS = 0.0


def logit(probability: FloatMap, floor: float = 0.02) -> FloatMap:
    p = np.clip(probability, floor, 1 - floor)
    odds: FloatMap = np.log(p / (1 - p))
    return odds


def sigmoid(value: FloatMap) -> FloatMap:
    return (1 / (1 + np.exp(-value))).astype(np.float32)


def signed_distance(mask: NDArray[np.bool_]) -> FloatMap:
    """Return the distance to the outline in grid pixels, positive inside."""
    inside = mask.astype(np.uint8)
    found = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return found.view(np.ndarray)


def fuse(cues: dict[str, FloatMap | float]) -> FloatMap:
    """Return the probability map [h, w] for the cues named in `WEIGHTS`."""
    evidence: FloatMap = np.float32(BIAS) + np.zeros_like(cues["warped"])
    for name, weight in WEIGHTS.items():
        evidence = evidence + np.float32(weight) * cues[name]
    return sigmoid(evidence)
