"""How far a correcting stroke reaches.

A person draws a correction through the middle of what is wrong, and so does the robot of the DAVIS challenge: on its
medial axis. On one side the wrong region ends where the mask does, so that its width at each point of the stroke is
twice the distance from there to the mask's edge, whatever the picture looks like.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FARTHEST = 0.04  # of the frame's longest side: strokes farther from the edge are about another region than the mask's
SURE, POSSIBLE = 0.85, 1.5  # of the distance: what certainly changes over, and what may if the picture says so
ALONE = 0.01  # of the longest side: certain around a stroke that is far from the edge

Mask = NDArray[np.bool_]


def certain_region(scribbles: Mask, right: Mask) -> Mask:
    """What changes over with `scribbles` [H, W] in any case; `right`: what has the strokes' id already."""
    return _disks(scribbles, right, SURE, ALONE * max(right.shape))


def possible_region(scribbles: Mask, right: Mask, farthest: float) -> Mask:
    """What may change over; strokes far from the edge reach `farthest` pixels."""
    return _disks(scribbles, right, POSSIBLE, farthest)


def _disks(scribbles: Mask, right: Mask, share: float, alone: float) -> Mask:
    """The union of disks around the pixels of the strokes that are wrong, each as wide as its distance says."""
    distance = cv2.distanceTransform((~right).astype(np.uint8), cv2.DIST_L2, 5)
    covered = np.zeros(right.shape, np.uint8)
    far = FARTHEST * max(right.shape)
    for y, x in np.argwhere(scribbles & ~right):
        to_edge = float(distance[y, x])
        radius = share * to_edge if to_edge <= far else alone
        cv2.circle(covered, (int(x), int(y)), round(radius), 1, cv2.FILLED)
    return covered > 0
