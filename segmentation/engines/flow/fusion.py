"""From the cues about a pixel to the probability that it belongs to the object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

# Logistic weights of: the mask carried along the flow, the palette, the texture, the places.
CARRIED, PALETTE, TEXTURE, PLACES = 1.3, 0.3, 0.6, 0.3


def logit(probability: Map, floor: float = 0.02) -> Map:
    p = np.clip(probability, floor, 1 - floor)
    odds: Map = np.log(p / (1 - p))
    return odds


def sigmoid(value: Map) -> Map:
    return 1 / (1 + np.exp(-value))


def signed_distance(mask: NDArray[np.bool_]) -> Map:
    """Grid pixels to the outline, positive inside."""
    inside = mask.astype(np.uint8)
    found = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return found.view(np.ndarray)


def fuse(carried: Map, palette: Map, texture: Map, places: Map) -> Map:
    """All [h, w]: probabilities, but `texture`, which is about -1..1."""
    evidence = CARRIED * logit(carried) + PALETTE * logit(palette, 0.05)
    return sigmoid(evidence + TEXTURE * texture + PLACES * logit(places, 0.05))
