"""Scribbles as paint: how a person gives or corrects a mask with strokes alone."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from segmentation.scribbles import rasterise, stroke_pixels
from segmentation.types import LabelMap, Scribble

CLOSED = 0.05  # of the frame's diagonal: ends that are nearer than this close an outline
LEAST_AREA = 4.0  # strokes' widths squared: a smaller outline is a thick dot, not a shape
THICKNESS = 5  # pixels of a stroke, as scribbles reach the networks


def paint(labels: LabelMap, scribbles: Sequence[Scribble]) -> LabelMap:
    """A copy of `labels` [H, W] with the strokes painted over it in order; a closed stroke is filled.

    The line itself (1 px) always ends up with its id, also where thicker strokes overlap.
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
