"""Removes specks: small parts that are not connected to the rest of an object, and mostly belong to something else."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.types import BinaryMask, FloatMap

SPECK = 0.02  # Parts smaller than this share of the object's area are specks.
GONE = 0.3  # highest probability that is left to the pixels of a speck


def specks(mask: BinaryMask, meant: BinaryMask | None = None) -> BinaryMask:
    """Return the specks of a mask [h, w], without those that overlap with `meant`."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < SPECK * areas[1:].sum()
    small[0] = False  # component 0 is the background
    if meant is not None and small.any():
        small &= np.bincount(parts[meant], minlength=count) == 0
    result: BinaryMask = small[parts]
    return result


def without_specks(probability: FloatMap, meant: BinaryMask | None = None) -> FloatMap:
    """Return a probability map [h, w] that is at most GONE in the specks of its mask."""
    found = specks(probability > 0.5, meant)
    return np.where(found, np.minimum(probability, np.float32(GONE)), probability) if found.any() else probability
