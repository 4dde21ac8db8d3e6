"""Removes specks: small parts of a mask that are not connected to the rest of an object, and are mostly errors."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.types import BinaryMask, FloatMap

SPECK = 0.02  # Connected parts smaller than this share of the object's area are specks.
GONE = 0.3  # Highest probability that the pixels of a speck keep.


def specks(mask: BinaryMask, meant: BinaryMask | None = None) -> BinaryMask:
    """Return the pixels of the specks of a mask [h, w].

    Parts that overlap with `meant`, pixels that a person wants in the object, are not specks.
    """
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < SPECK * areas[1:].sum()
    small[0] = False  # component 0 is the background
    if meant is not None and small.any():
        small &= np.bincount(parts[meant], minlength=count) == 0
    result: BinaryMask = small[parts]
    return result


def without_specks(probability: FloatMap, meant: BinaryMask | None = None) -> FloatMap:
    """Return the probability map [h, w] with its specks lowered to at most GONE.

    Parts that overlap with `meant`, pixels that a person wants in the object, are not specks.
    """
    found = specks(probability > 0.5, meant)
    return np.where(found, np.minimum(probability, np.float32(GONE)), probability) if found.any() else probability
