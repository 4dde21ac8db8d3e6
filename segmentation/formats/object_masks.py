"""The masks of single objects in a frame, with the numbers that annotation formats store beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from segmentation.formats.coco_rle import Runs, object_runs
from segmentation.types import BinaryMask, LabelMap


@dataclass(frozen=True, eq=False)
class ObjectMask:
    """The pixels of an object in a frame, at least one.

    `labels` is the mask of the whole frame, uint8 [H, W], and `runs` are the runs of the object in it.
    """

    object: AnnotatedObject
    labels: LabelMap
    runs: Runs

    @cached_property
    def area(self) -> int:
        return self.runs.area

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """The bounding box x, y, width, height."""
        return self.runs.box

    @property
    def rle(self) -> dict[str, Any]:
        """The run lengths of COCO, as `encode_rle` returns them."""
        return self.runs.rle

    @property
    def inside(self) -> BinaryMask:
        """The mask in the whole frame, bool [H, W]."""
        return np.asarray(self.labels == self.object.id)

    @property
    def part(self) -> BinaryMask:
        """The mask inside its bounding box, bool [height, width]."""
        x, y, width, height = self.box
        return np.asarray(self.labels[y : y + height, x : x + width] == self.object.id)


def object_masks(video: AnnotatedVideo, labels: LabelMap | None) -> Iterator[ObjectMask]:
    """Yield the masks of the objects of `video` that a frame shows, in the order of the video's objects.

    `labels` is the mask of the frame, uint8 [H, W], or None for a frame without a mask, which shows no object.
    """
    if labels is None:
        return
    runs = object_runs(labels)
    for each in video.objects:
        if each.id in runs:
            yield ObjectMask(each, labels, runs[each.id])
