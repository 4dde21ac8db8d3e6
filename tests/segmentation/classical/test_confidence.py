"""Tests flow's estimate of J. It is higher if the probabilities of the mask are near 0 or 1, if its pixels look like
the object, and if they move as the object does.
"""

from __future__ import annotations

import numpy as np

from segmentation.classical.confidence import estimate_j
from segmentation.types import FloatMap


def test_the_estimate_falls_with_doubt_with_other_looks_and_with_the_motion_of_the_background() -> None:
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 10:40] = 1

    def all_over(value: float) -> FloatMap:
        return np.full_like(mask, value)

    good = estimate_j(mask, all_over(0.9), all_over(3))
    worse = [
        estimate_j(0.55 * mask, all_over(0.9), all_over(3)),
        estimate_j(mask, all_over(0.1), all_over(3)),
        estimate_j(mask, all_over(0.9), all_over(0)),
        estimate_j(np.zeros_like(mask), all_over(0.9), all_over(3)),
    ]
    assert 0.8 < good < 1
    assert all(0 < each < good - 0.05 for each in worse)
    assert estimate_j(mask, np.where(mask > 0, 0.9, -1).astype(np.float32), all_over(3)) == good
