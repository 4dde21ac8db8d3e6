"""Computes in which region around a correcting scribble a mask changes.

People draw a correction through the middle of the wrong region, and the robot of the DAVIS challenge draws it on the
medial axis of that region. One border of the wrong region is the edge of the mask. So the region is about twice as
wide, at each point of the scribble, as the distance from that point to the edge of the mask.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.types import BinaryMask

# Largest distance of a scribbled pixel from the edge of the mask, as a share of the frame's longest side. Pixels
# farther away do not correct that edge but a separate region.
FARTHEST = 0.04
# Radii around a scribbled pixel, as multiples of its distance to the edge of the mask. Within the first radius pixels
# change in any case, within the second they may change.
SURE, POSSIBLE = 0.85, 1.5
ALONE = 0.01  # Radius of certain change around a scribble far from the edge, as a share of the frame's longest side.
# The same three limits where a network decides which pixels change. They are larger, because the network often finds
# whole parts of an object that do not touch its mask.
ASKED, ASKED_FARTHEST, ASKED_ALONE = 2.0, 0.08, 0.1


def certain_region(scribbles: BinaryMask, right: BinaryMask) -> BinaryMask:
    """Return the pixels [H, W] that certainly change to the object id of the scribbles.

    Args:
        scribbles: the pixels under scribbles of one object id, [H, W].
        right: the pixels that already have this object id, [H, W].
    """
    side = max(right.shape)
    return _disks(scribbles, right, SURE, FARTHEST * side, ALONE * side)


def possible_region(scribbles: BinaryMask, right: BinaryMask, farthest: float) -> BinaryMask:
    """Return the pixels [H, W] that may change to the object id of the scribbles.

    Args:
        scribbles: the pixels under scribbles of one object id, [H, W].
        right: the pixels that already have this object id, [H, W].
        farthest: the radius in pixels around scribbles that are far from the edge of the mask.
    """
    return _disks(scribbles, right, POSSIBLE, FARTHEST * max(right.shape), farthest)


def asked_region(scribbles: BinaryMask, right: BinaryMask) -> BinaryMask:
    """Return the pixels [H, W] that a network may change to the object id of the scribbles.

    Args:
        scribbles: the pixels under scribbles of one object id, [H, W].
        right: the pixels that already have this object id, [H, W].
    """
    side = max(right.shape)
    return _disks(scribbles, right, ASKED, ASKED_FARTHEST * side, ASKED_ALONE * side)


def _disks(scribbles: BinaryMask, right: BinaryMask, share: float, far: float, alone: float) -> BinaryMask:
    """Return the union of disks around the scribbled pixels that are not in `right`, [H, W].

    The radius is the distance of the pixel to `right` times `share`, or `alone` pixels if that distance is above `far`.
    """
    distance = cv2.distanceTransform((~right).astype(np.uint8), cv2.DIST_L2, 5)
    covered = np.zeros(right.shape, np.uint8)
    for y, x in np.argwhere(scribbles & ~right):
        to_edge = float(distance[y, x])
        radius = share * to_edge if to_edge <= far else alone
        cv2.circle(covered, (int(x), int(y)), round(radius), 1, cv2.FILLED)
    return covered > 0
