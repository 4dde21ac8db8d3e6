"""Draws scribbles, which are paths with points in 0..1, into maps of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import Scribble

NO_SCRIBBLE = -1
Raster = NDArray[np.int16]  # [H, W]: the object id of the scribble on each pixel, or NO_SCRIBBLE


def stroke_pixels(path: NDArray[np.float64], height: int, width: int) -> NDArray[np.intp]:
    """Return the pixels (x, y) [K, 2] of a path with points in 0..1, drawn one pixel wide, in drawing order.

    Points are scaled by (W - 1, H - 1) and truncated, and neighbouring points are joined by Bresenham lines. This gives
    exactly the pixels of the `davisinteractive` package, with which the published systems were trained.
    """
    points = (np.asarray(path, dtype=float) * (width - 1, height - 1)).astype(np.intp)  # [P, 2]
    if len(points) < 2:
        return points
    return np.concatenate([_line(a, b) for a, b in pairwise(points)])


def _line(start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the pixels (x, y) of the Bresenham line from `start` to `end`, both included.

    Coordinates on the shorter axis are rounded, halves away from `start`.
    """
    delta = end - start
    size, sign = np.abs(delta), np.where(delta > 0, 1, -1)
    major = 0 if size[0] > size[1] else 1
    steps = np.arange(size[major] + 1)
    pixels = np.empty((len(steps), 2), dtype=np.intp)
    pixels[:, major] = start[major] + sign[major] * steps
    minor = 1 - major
    offset = (2 * size[minor] * steps + size[major]) // max(2 * size[major], 1)
    pixels[:, minor] = start[minor] + sign[minor] * offset
    return pixels


def rasterise(scribbles: Sequence[Scribble], height: int, width: int) -> Raster:
    """Draw scribbles into an int16 map [H, W]: the object id drawn last on each pixel, NO_SCRIBBLE (-1) elsewhere."""
    raster = np.full((height, width), NO_SCRIBBLE, dtype=np.int16)
    for scribble in scribbles:
        pixels = stroke_pixels(scribble.path, height, width)
        raster[pixels[:, 1], pixels[:, 0]] = scribble.object_id
    return raster


def dilate(raster: Raster, iterations: int = 2) -> Raster:
    """Dilate the pixels of every id with a 3x3 cross. Where two ids overlap, the higher id wins over the lower."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    thick = np.full_like(raster, NO_SCRIBBLE)
    for object_id in np.unique(raster[raster >= 0]):
        grown = cv2.dilate((raster == object_id).astype(np.uint8), cross, iterations=iterations)
        thick[grown > 0] = object_id
    return thick


def cues_of(raster: Raster, object_id: int, both: bool = False) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two maps, bool [H, W]: the dilated scribbles of an object, and those of the background and other objects.

    `raster` is from `rasterise`. A pixel that both maps would contain after dilation is only in the map of the object,
    as in the official code of IPN. With `both`, it is in both maps, as in the official code of STM.
    """
    if both:
        parts = (raster == object_id, (raster >= 0) & (raster != object_id))
        own, others = (dilate(np.where(part, 0, NO_SCRIBBLE).astype(np.int16)) == 0 for part in parts)
        return own, others
    own = np.where(raster == object_id, 1, np.where(raster >= 0, 0, NO_SCRIBBLE)).astype(np.int16)
    thick = dilate(own)
    return thick == 1, thick == 0
