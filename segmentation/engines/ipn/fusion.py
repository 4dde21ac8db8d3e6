"""Computes how far a round of IPN propagates, and the weight of its masks in the average with those of earlier rounds.

A round propagates up to the nearest frames that were annotated before. The weight of its masks falls linearly with the
distance from the new annotation (section "Testing" of the paper by Oh et al. in the DAVIS challenge 2018).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray


def reach(target: int, earlier: Collection[int], length: int, at_least: int = -1) -> tuple[int, int]:
    """Return the first and the last frame to which a round propagates from the annotated frame `target`.

    `earlier` are the annotated frames of earlier rounds, `length` is the number of frames of the video, and `at_least`
    is the smallest number of frames that the round propagates in each direction (-1 = no minimum).
    """
    left = max((frame for frame in earlier if frame < target), default=0)
    right = min((frame for frame in earlier if frame > target), default=length - 1)
    if at_least >= 0:
        left, right = min(left, max(target - at_least, 0)), max(right, min(target + at_least, length - 1))
    return left, right


def round_weight(target: int, earlier: Collection[int], length: int, at_least: int = -1) -> NDArray[np.float64]:
    """Return the weight 0..1 of the masks of a round in each frame, [T], for the average with masks of earlier rounds.

    It is 1 in the annotated frame `target`, and in all frames before (or after) it if no frame there was annotated
    earlier. Otherwise it falls linearly to 0 in the last frame to which the round propagates, and is 0 beyond that.
    `at_least` is the smallest number of frames that the round propagates in each direction (-1: no minimum).
    """
    left, right = reach(target, earlier, length, at_least)
    weight = np.ones(length)
    if any(frame < target for frame in earlier):
        weight[:target] = 0
        weight[left : target + 1] = np.linspace(0, 1, target - left + 1)
    if any(frame > target for frame in earlier):
        weight[target + 1 :] = 0
        weight[target : right + 1] = np.linspace(1, 0, right - target + 1)
    return weight
