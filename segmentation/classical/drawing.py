"""The label map of the frame that was drawn on: objects are cut at a small size, their outlines drawn at full size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.composition import Composition
from segmentation.classical.interaction import SIDE, Wrong, corrected_mask, region_under
from segmentation.classical.motion import FlowField, Motion
from segmentation.classical.picture import Picture, Pictures, Sizes, smaller
from segmentation.classical.reach import certain
from segmentation.classical.seeding import Seeds
from segmentation.masks import resize_labels
from segmentation.scribbles import NO_SCRIBBLE, Raster, dilate, rasterise
from segmentation.types import LabelMap, Scribble

Mask = NDArray[np.bool_]

FIRST_STROKE = 3  # px across at the small size: a person who begins an object means more than the line drawn
STROKE = 1  # the same for corrections, which are often drawn into narrow errors


def draw_on(
    pictures: Pictures,
    frame: int,
    earlier: Sequence[Scribble],
    strokes: Sequence[Scribble],
    before: LabelMap | None,
    seed: int,
) -> LabelMap:
    """The new mask of a frame from its new `strokes`, the `earlier` ones and the mask it had (None: none yet).

    Pixels under a stroke get its id, the last stroke on top; objects that no new stroke speaks for or against keep
    theirs. Earlier strokes only hold what they claimed: they must not start to spread again.
    """
    picture = smaller(pictures[frame], SIDE)
    if before is None:
        before = np.zeros(pictures.sizes.video, np.uint8)
    height, width = picture.grey.shape
    new, every = _thick(strokes, height, width, STROKE), _thick([*earlier, *strokes], height, width, STROKE)
    thick = _thick([*earlier, *strokes], height, width, FIRST_STROKE)
    old = resize_labels(before, height, width)
    motion = _motion(pictures, frame, picture)
    cut = {}
    for object_id in _concerned(new, old):
        was = old == object_id
        drawn = every if was.any() else thick
        mine, others = drawn == object_id, (drawn >= 0) & (drawn != object_id)
        if was.any():
            missed, extra = mine & (new >= 0) & ~was, others & (new >= 0) & was
            wrong = Wrong(missed, extra, mine, others)
            cut[object_id] = corrected_mask(picture, motion, was, wrong, seed)
        else:
            seeds = Seeds(mine, others, np.zeros_like(was))
            cut[object_id] = region_under(picture, motion, seeds, old > 0, seed)
    labels = _drawn(cut, before, old, pictures[frame], pictures.sizes)
    _change_over(labels, before, strokes)
    return _under_strokes(labels, [*earlier, *strokes])


def _motion(pictures: Pictures, frame: int, picture: Picture) -> Motion | None:
    """How the frame moves against a neighbour, at the small size; None in a video of one frame."""
    if len(pictures) == 1:
        return None
    neighbour = frame + 1 if frame + 1 < len(pictures) else frame - 1
    return FlowField().between(picture.grey, smaller(pictures[neighbour], SIDE).grey)


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


def _change_over(labels: LabelMap, before: LabelMap, strokes: Sequence[Scribble]) -> None:
    """Give every correcting stroke, in place, what it certainly reaches of the mask that was there `before`."""
    for scribble in strokes:
        right = before == scribble.object_id
        if right.any():
            line = rasterise([scribble], *labels.shape) != NO_SCRIBBLE
            labels[certain(line, right)] = scribble.object_id


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


def _thick(strokes: Sequence[Scribble], height: int, width: int, across: int) -> Raster:
    raster = np.full((height, width), NO_SCRIBBLE, np.int16)
    for scribble in strokes:
        points = np.round(scribble.path * (width - 1, height - 1)).astype(np.int32).reshape(-1, 1, 2)
        points = points.repeat(2, axis=0) if len(points) == 1 else points  # of one point alone OpenCV draws nothing
        cv2.polylines(raster, [points], False, scribble.object_id, across)
    return raster
