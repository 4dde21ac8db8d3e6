"""Turns small probability maps into a mask at the size of the video, whose outlines follow the edges of the frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from segmentation.classical.guided_filter import Guide
from segmentation.masks import Box, box_of
from segmentation.types import Image, LabelMap

FAINTEST = 0.1  # Objects that are nowhere more probable than this are left out.

# Of the guided filter that enlarges the maps: the radius in pixels of the maps, and the variance of colour (channels
# 0..1) below which an edge is smoothed away. They were chosen by J and F of masks in held-out videos.
RADIUS, EPSILON = 4, 1e-5
SURE = 0.98  # Pixels that are more probable than this stay: a frame without edges would shrink thin objects otherwise.


def draw_labels(probabilities: Tensor, object_ids: Sequence[int], picture: Image) -> LabelMap:
    """Enlarge probability maps and return the mask of the most probable object in each pixel.

    Args:
        probabilities: the probabilities of background and n objects, [n + 1, h, w].
        object_ids: the ids of the n objects.
        picture: the frame at the size of the video, uint8 RGB [H, W, 3].
    """
    size = picture.shape[:2]
    labels = np.zeros(size, np.uint8)
    planes = probabilities[1:].cpu().numpy()
    rows, columns = planes.shape[1:]
    box = box_of(planes.sum(0) > FAINTEST)
    if box is None:
        return labels
    small = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    inside = box.grown(2 * RADIUS + 2, rows, columns)
    place = _enlarged(inside, size[0] / rows, size[1] / columns)
    guide, shown = Guide(small[inside.slices], RADIUS, EPSILON), picture[place.slices]
    rest = np.ones(shown.shape[:2], np.float32)  # The probability of the background: what no object has.
    best, found = np.zeros_like(rest), labels[place.slices]
    for object_id, plane in zip(object_ids, planes, strict=True):
        if plane.max() > FAINTEST:
            own = np.ascontiguousarray(plane[inside.slices])
            large = guide.fit(own).drawn(shown)
            large[cv2.resize(own, large.shape[::-1]) > SURE] = 1
            rest -= large
            wins = large > best
            best[wins], found[wins] = large[wins], object_id
    found[best <= rest] = 0
    return labels


def _enlarged(box: Box, down: float, across: float) -> Box:
    """Return the pixels of the frame that a box of the maps covers.

    Rounding moves its border by half a pixel at most. Outlines stay where they are, because the frame's own pixels tell
    where they run.
    """
    return Box(round(box.y0 * down), round(box.x0 * across), round(box.y1 * down), round(box.x1 * across))
