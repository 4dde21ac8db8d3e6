"""Specks: parts apart from the rest of an object and far smaller than it. Most are something that looks alike."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SPECK = 0.02  # of the object's area: smaller parts are specks
GONE = 0.3  # probability of what was one: too faint to be drawn or carried on, too strong for a hole

Mask = NDArray[np.bool_]
Map = NDArray[Any]  # float32 [h, w]


def specks(mask: Mask, meant: Mask | None = None) -> Mask:
    """The specks of a mask [h, w], but for those that lie on anything `meant`."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < SPECK * areas[1:].sum()
    small[0] = False  # all that is not the object
    if meant is not None and small.any():
        small &= np.bincount(parts[meant], minlength=count) == 0
    result: Mask = small[parts]
    return result


def without_specks(probability: Map, meant: Mask | None = None) -> Map:
    """The probability of an object [h, w], faint where its mask has specks."""
    found = specks(probability > 0.5, meant)
    return np.where(found, np.minimum(probability, np.float32(GONE)), probability) if found.any() else probability
