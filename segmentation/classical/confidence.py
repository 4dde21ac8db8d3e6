"""Estimates the J that a propagated mask would have with the ground truth, which is flow's confidence."""

from __future__ import annotations

import numpy as np

from segmentation.types import FloatMap

# A logistic regression of three figures, fitted to masks of rounds with a simulated user on videos that are not of the
# development set. `python -m segmentation.evaluation --engine flow` prints the calibration error (ECE).
DOUBT, TEXTURE, MOTION, OFFSET = -1.20, 2.15, 0.378, -1.36
LOST = 0.5  # The confidence where nothing is left of an object: it may be hidden, or it was lost.


def estimate_j(probability: FloatMap, texture: FloatMap, moves: FloatMap) -> float:
    """Return the estimated J of a mask, 0..1.

    Args:
        probability: the probability map of the object, [h, w].
        texture: how much each pixel looks like the object in its annotated frames, about -1..1, [h, w].
        moves: how much more each pixel moves as the object does than as the camera does, [h, w].
    """
    area = float(probability.sum()) + 1
    doubt, looks, motion = (float((each * probability).sum()) / area for each in (1 - probability, texture, moves))
    return float(1 / (1 + np.exp(-(DOUBT * doubt + TEXTURE * looks + MOTION * motion + OFFSET))))
