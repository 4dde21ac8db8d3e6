"""Computes how far around a correcting scribble a mask changes.

People draw a correction through the middle of the wrong region, and the robot of the DAVIS challenge draws it on the
medial axis of that region. One border of the wrong region is the edge of the mask. So the region is about twice as
wide, at each point of the scribble, as the distance from that point to the edge of the mask.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.types import BinaryMask

# Scribbles farther from the edge of the mask, as a share of the frame's longest side, are about another region.
FARTHEST = 0.04
# Factors of the distance: within the first a pixel changes in any case, within the second it may.
SURE, POSSIBLE = 0.85, 1.5
ALONE = 0.01  # Radius of certain change around a scribble far from the edge, as a share of the longest side.


def certain_region(scribbles: BinaryMask, right: BinaryMask) -> BinaryMask:
    """Return the pixels that change in any case with `scribbles` [H, W].

    `right` are pixels that have their id already.
    """
    return _disks(scribbles, right, SURE, ALONE * max(right.shape))


def possible_region(scribbles: BinaryMask, right: BinaryMask, farthest: float) -> BinaryMask:
    """Return the pixels that may change. Scribbles far from the edge reach `farthest` pixels."""
    return _disks(scribbles, right, POSSIBLE, farthest)


def _disks(scribbles: BinaryMask, right: BinaryMask, share: float, alone: float) -> BinaryMask:
    """Return the union of disks around wrong scribbled pixels. A radius is `share` of the distance to the edge."""
    distance = cv2.distanceTransform((~right).astype(np.uint8), cv2.DIST_L2, 5)
    covered = np.zeros(right.shape, np.uint8)
    far = FARTHEST * max(right.shape)
    for y, x in np.argwhere(scribbles & ~right):
        to_edge = float(distance[y, x])
        radius = share * to_edge if to_edge <= far else alone
        cv2.circle(covered, (int(x), int(y)), round(radius), 1, cv2.FILLED)
    return covered > 0
