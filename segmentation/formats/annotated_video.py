"""What annotation formats hold of a video: its frames by name, its objects, and a label map for each frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segmentation.types import LabelMap

NO_LABEL = "object"  # The category of objects that have no label.


@dataclass(frozen=True)
class AnnotatedObject:
    """An object. `id` is its value in label maps, 1..254; `label` is its class, or "" if it has none."""

    id: int
    name: str
    label: str = ""

    @property
    def category(self) -> str:
        return self.label or NO_LABEL


@dataclass(frozen=True, eq=False)
class AnnotatedVideo:
    """A video with its masks, which are read frame by frame.

    `name` may be used as the name of a folder. `masks` yields the label map, uint8 [H, W], of each frame in order, or
    None for a frame without a mask; each call reads them anew.
    """

    name: str
    width: int
    height: int
    fps: float
    frames: tuple[str, ...]  # The names of the frames, without a suffix.
    objects: tuple[AnnotatedObject, ...]
    masks: Callable[[], Iterator[LabelMap | None]]


def categories(videos: list[AnnotatedVideo]) -> dict[str, int]:
    """Return the id, 1, 2, ..., of each category that an object of these videos has, in the order of their names."""
    names = sorted({each.category for video in videos for each in video.objects})
    return {name: number for number, name in enumerate(names, 1)}
