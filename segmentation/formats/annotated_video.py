"""A video with its objects and masks, as writers of annotation formats take it and readers return it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segmentation.types import LabelMap

NO_LABEL = "object"  # The category of objects that have no label.


@dataclass(frozen=True)
class AnnotatedObject:
    """An object of an annotated video. `id` is its value in masks, 1..254; `label` is its class, or "" without one."""

    id: int
    name: str
    label: str = ""

    @property
    def category(self) -> str:
        return self.label or NO_LABEL


@dataclass(frozen=True, eq=False)
class AnnotatedVideo:
    """A video with its masks, which are read frame by frame.

    `name` is a valid name of a folder. Each call of `masks` reads and yields the masks of all frames in order, uint8
    [H, W], with None for a frame without a mask.
    """

    name: str
    width: int
    height: int
    fps: float
    frames: tuple[str, ...]  # The names of the frames, without a suffix.
    objects: tuple[AnnotatedObject, ...]
    masks: Callable[[], Iterator[LabelMap | None]]


def categories(videos: list[AnnotatedVideo]) -> dict[str, int]:
    """Return the ids 1, 2, ... of the categories that the objects of these videos have, by the category's name.

    They are numbered in alphabetical order.
    """
    names = sorted({each.category for video in videos for each in video.objects})
    return {name: number for number, name in enumerate(names, 1)}
