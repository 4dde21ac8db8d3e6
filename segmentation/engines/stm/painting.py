"""Paints scribbles into a mask, for an engine that takes masks and not scribbles."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from segmentation.scribbles import rasterise, stroke_pixels
from segmentation.types import LabelMap, Scribble

CLOSED = 0.05  # A scribble is an outline if its ends are nearer to each other than this share of the frame's diagonal.
LEAST_AREA = 4.0  # An outline of less than this many squared thicknesses is a dot and is not filled.
THICKNESS = 5  # Thickness of a painted scribble in pixels.


def paint(labels: LabelMap, scribbles: Sequence[Scribble]) -> LabelMap:
    """Return a copy of the mask `labels` [H, W] with the scribbles painted over it in order.

    A scribble that is a closed outline is filled. The pixels of the path itself get its object id even where a later,
    thick scribble lies over them.
    """
    painted = labels.copy()
    height, width = labels.shape
    for scribble in scribbles:
        pixels = stroke_pixels(scribble.path, height, width).astype(np.int32)
        if _is_outline(pixels, height, width):
            cv2.fillPoly(painted, [pixels], scribble.object_id)
        cv2.polylines(painted, [pixels], False, scribble.object_id, THICKNESS)
    lines = rasterise(scribbles, height, width)
    painted[lines >= 0] = lines[lines >= 0]
    return painted


def _is_outline(pixels: np.ndarray[tuple[int, ...], np.dtype[np.int32]], height: int, width: int) -> bool:
    gap = float(np.hypot(*(pixels[0] - pixels[-1])))
    area = cv2.contourArea(pixels.reshape(-1, 1, 2))
    return gap <= CLOSED * np.hypot(height, width) and area >= LEAST_AREA * THICKNESS**2
