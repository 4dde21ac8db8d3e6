"""The label map of the frame that was drawn on: objects are cut at a small size, their outlines drawn at full size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.engines.flow.composition import Composition
from segmentation.engines.flow.interaction import SIDE, corrected_mask, region_under
from segmentation.engines.flow.motion import FlowField, Motion
from segmentation.engines.flow.picture import Picture, Pictures, Sizes, smaller
from segmentation.masks import resize_labels
from segmentation.scribbles import NO_SCRIBBLE, Raster, dilate, rasterise
from segmentation.types import LabelMap, Scribble

Mask = NDArray[np.bool_]

STROKE = 3  # px across at the small size: a person means more than the line drawn


def draw_on(
    pictures: Pictures, frame: int, strokes: Sequence[Scribble], before: LabelMap | None, seed: int
) -> LabelMap:
    """The new mask of a frame from all strokes ever drawn on it and the mask it had (None: none yet).

    Pixels under a stroke get its id, the last stroke on top; objects that no stroke speaks for or against keep theirs.
    """
    picture = smaller(pictures[frame], SIDE)
    if before is None:
        before = np.zeros(pictures.sizes.video, np.uint8)
    small = picture.grey.shape
    raster = _thick(strokes, *small)
    old = resize_labels(before, *small)
    motion = _motion(pictures, frame, picture)
    cut = {}
    for object_id in _concerned(raster, old):
        positive, negative = raster == object_id, (raster >= 0) & (raster != object_id)
        was = old == object_id
        if was.any():
            cut[object_id] = corrected_mask(picture, motion, was, positive, negative, seed)
        else:
            cut[object_id] = region_under(picture, motion, positive, negative, old > 0, seed)
    labels = _drawn(cut, before, old, pictures[frame], pictures.sizes)
    return _under_strokes(labels, strokes)


def _motion(pictures: Pictures, frame: int, picture: Picture) -> Motion | None:
    """How the frame moves against a neighbour, at the small size; None in a video of one frame."""
    if len(pictures) == 1:
        return None
    neighbour = frame + 1 if frame + 1 < len(pictures) else frame - 1
    return FlowField().between(picture, smaller(pictures[neighbour], SIDE))


def _drawn(cut: dict[int, Mask], before: LabelMap, old: LabelMap, picture: Picture, sizes: Sizes) -> LabelMap:
    """`before` with what was cut anew; outside the changes it stays pixel for pixel."""
    composition = Composition(sizes)
    changed = np.zeros(old.shape, np.uint8)
    for object_id, mask in cut.items():
        changed |= (mask != (old == object_id)).astype(np.uint8)
        on_grid = cv2.resize(mask.astype(np.float32), (sizes.grid[1], sizes.grid[0]))
        composition.add(object_id, on_grid.view(np.ndarray), picture)
    fresh = composition.labels()
    wider = cv2.dilate(changed, np.ones((3, 3), np.uint8)).astype(np.uint8)
    region = resize_labels(wider, *sizes.video) > 0
    result = before.copy()
    # Inside the changes: an object that was cut holds what it got, one that was not keeps what nobody took.
    cut_before = np.isin(before, list(cut))
    result[region & cut_before] = 0
    take = region & (fresh > 0)
    result[take] = fresh[take]
    return result


def _concerned(raster: Raster, old: LabelMap) -> list[int]:
    """Objects with a stroke, and objects whose pixels a stroke of something else runs over."""
    drawn = raster >= 0
    hit = old[drawn & (raster != old)]
    return sorted(int(i) for i in np.union1d(raster[drawn], hit) if i > 0)


def _under_strokes(labels: LabelMap, strokes: Sequence[Scribble]) -> LabelMap:
    for scribble in strokes:
        line = dilate(rasterise([scribble], *labels.shape), 1)
        labels[line != NO_SCRIBBLE] = scribble.object_id
    return labels


def _thick(strokes: Sequence[Scribble], height: int, width: int) -> Raster:
    raster = np.full((height, width), NO_SCRIBBLE, np.int16)
    for scribble in strokes:
        points = np.round(scribble.path * (width - 1, height - 1)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(raster, [points], False, scribble.object_id, STROKE)
    return raster
