"""From the cues about a pixel to the probability that it belongs to the object: a logistic regression."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]  # float32 [h, w]

# Fitted to pixels of the 30 train sequences of DAVIS-2016 (22 frames each, 288 pixels high), the cues being those met
# while walking with the weights themselves (three rounds of it), so that the errors of a walk are among the examples.
WEIGHTS = {
    "warped": 0.23,  # logit of the mask carried along the flow
    "trust": 0.24,  # of the flow, -1..1
    "warped where trusted": 0.06,
    "depth": 0.03,  # signed distance to the carried outline, 8 grid pixels = 1
    "relative depth": 0.12,  # the same, a quarter of the object's size = 1
    "outline": -0.11,  # 1 on the carried outline
    "palette": 0.27,  # logit
    "palette around": 0.31,  # the same, mean over 7x7
    "places": 0.26,  # logit
    "texture": 0.34,  # as in the annotated frames, -4..4
    "recent texture": 0.25,  # as lately
    "motion": 0.31,  # unlike the background's
    "motion around": 0.11,  # the same, mean over 9x9
    "distance": -0.18,  # frames since the one that was drawn on, ten = 1, at most 2
    "warped around": 0.03,  # logit of the carried mask's mean over 9x9
    "unseen": -0.42,  # 3 where the pixel has just come into the picture
}
BIAS = 0.0


def logit(probability: Map, floor: float = 0.02) -> Map:
    p = np.clip(probability, floor, 1 - floor)
    odds: Map = np.log(p / (1 - p))
    return odds


def sigmoid(value: Map) -> Map:
    return (1 / (1 + np.exp(-value))).astype(np.float32)


def signed_distance(mask: NDArray[np.bool_]) -> Map:
    """Grid pixels to the outline, positive inside."""
    inside = mask.astype(np.uint8)
    found = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return found.view(np.ndarray)


def fuse(cues: dict[str, Map | float]) -> Map:
    """Probability [h, w] from all cues of `WEIGHTS` by name."""
    evidence: Map = np.float32(BIAS) + np.zeros_like(cues["warped"])
    for name, weight in WEIGHTS.items():
        evidence = evidence + np.float32(weight) * cues[name]
    return sigmoid(evidence)
