"""The masks of single objects in a frame, with the numbers that annotation formats store beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from segmentation.types import BinaryMask, LabelMap


@dataclass(frozen=True, eq=False)
class ObjectMask:
    """The pixels of an object in a frame: `inside` is bool [H, W], `box` is x, y, width, height. It is never empty."""

    object: AnnotatedObject
    inside: BinaryMask
    area: int
    box: tuple[int, int, int, int]

    @property
    def part(self) -> BinaryMask:
        """The mask inside its bounding box, bool [height, width]."""
        x, y, width, height = self.box
        return self.inside[y : y + height, x : x + width]


def object_masks(video: AnnotatedVideo, labels: LabelMap | None) -> Iterator[ObjectMask]:
    """Yield the masks of the objects of `video` that a frame shows, in the order of the video's objects.

    `labels` is the mask of the frame, uint8 [H, W], or None for a frame without a mask, which shows no object.
    """
    if labels is None:
        return
    counts = np.bincount(labels.ravel(), minlength=256)
    for each in video.objects:
        if counts[each.id]:
            inside: BinaryMask = np.asarray(labels == each.id)
            yield ObjectMask(each, inside, int(counts[each.id]), _box(inside))


def _box(inside: BinaryMask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
