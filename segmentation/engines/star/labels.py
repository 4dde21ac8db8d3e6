"""Turns small probability maps into a mask at the size of the video."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from segmentation.masks import box_of
from segmentation.types import LabelMap

FAINTEST = 0.1  # Pixels whose probability of all objects together is below this are background.


def upsample_labels(probabilities: Tensor, object_ids: Sequence[int], size: tuple[int, int]) -> LabelMap:
    """Enlarge probability maps and return the mask of the most probable object in each pixel.

    Args:
        probabilities: the probabilities of background and n objects, [n + 1, h, w].
        object_ids: the ids of the n objects.
        size: height and width of the mask.
    """
    height, width = size
    labels = np.zeros(size, np.uint8)
    planes = probabilities.cpu().numpy()
    box = box_of(planes[0] < 1 - FAINTEST)
    if box is None:
        return labels
    # Only the part that may show an object is enlarged. The matrix maps its pixels to those of `probabilities`.
    rows, columns = planes.shape[1:]
    down, across = rows / height, columns / width
    y0, x0 = int(box.y0 / down), int(box.x0 / across)
    y1, x1 = min(height, math.ceil(box.y1 / down)), min(width, math.ceil(box.x1 / across))
    matrix = np.array([[across, 0, (x0 + 0.5) * across - 0.5], [0, down, (y0 + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    large = [
        cv2.warpAffine(plane, matrix, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for plane in planes
    ]
    table = np.array([0, *object_ids], np.uint8)
    labels[y0:y1, x0:x1] = table[np.argmax(np.stack(large), axis=0)]
    return labels
