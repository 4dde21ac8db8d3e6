"""Estimates the J that a propagated mask would have with the ground truth, which is flow's confidence."""

from __future__ import annotations

import numpy as np

from segmentation.types import FloatMap

# A logistic regression of three figures, fitted to 708 masks of rounds with a simulated user on 19 videos, none of the
# development set. With each video left out of the fit in turn, the calibration error is 0.046 and the correlation with
# J within a video 0.41. The overlap of the mask with the warped mask before it, which was the confidence earlier, had
# 0.16 to 0.24 and 0.13.
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
