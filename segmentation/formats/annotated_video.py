"""A video with its objects and masks, as writers of annotation formats take it and readers return it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from segmentation.formats.json_file import AnnotationError
from segmentation.types import MAX_OBJECTS, LabelMap

MOST_PIXELS = 1 << 26  # largest frame, in pixels, that is read
NO_LABEL = "object"  # The category of objects that have no label.


@dataclass(frozen=True)
class AnnotatedObject:
    """An object of an annotated video.

    `id` is its value in masks, 1..254; `name` is "" if the file has none; `label` is its class, or "" without one;
    `color` is #rrggbb, or "" if the file has none. `absent` are inclusive spans [first, last] of frames in which a
    person marked the object as not visible.
    """

    id: int
    name: str
    label: str = ""
    color: str = ""
    absent: tuple[tuple[int, int], ...] = ()

    @property
    def category(self) -> str:
        return self.label or NO_LABEL


@dataclass(frozen=True, eq=False)
class AnnotatedVideo:
    """A video with its masks, which are read frame by frame.

    To be written, `name` must be a valid name of a folder; what readers return may be any text. Each call of `masks`
    reads and yields the masks of all frames in order, uint8 [H, W], with None for a frame without a mask.
    """

    name: str
    width: int
    height: int
    fps: float
    frames: tuple[str, ...]  # The names of the frames, without a suffix.
    objects: tuple[AnnotatedObject, ...]
    masks: Callable[[], Iterator[LabelMap | None]]
    indexes: tuple[int, ...] = ()  # The index of each frame in the whole video; empty if these are all of its frames.

    @property
    def numbers(self) -> Sequence[int]:
        """The index of each frame in the whole video."""
        return self.indexes or range(len(self.frames))


def categories(videos: list[AnnotatedVideo]) -> dict[str, int]:
    """Return the ids 1, 2, ... of the categories that the objects of these videos have, by the category's name.

    They are numbered in alphabetical order.
    """
    names = sorted({each.category for video in videos for each in video.objects})
    return {name: number for number, name in enumerate(names, 1)}


def folder_titles(folders: Iterable[str]) -> dict[str, str]:
    """Return the names of the videos whose frames lie in these folders, by folder: the last part of its path.

    Where several videos would have one name, they are called by the whole paths of their folders, such as train/car.
    """
    last = {folder: PurePosixPath(folder).name for folder in folders}
    counts = Counter(last.values())
    whole = {folder: folder if counts[name] > 1 else name for folder, name in last.items()}
    # A slash at the end of a path, such as the one of an absolute path, is left out if that makes no two names equal.
    stripped = {folder: name.strip("/") for folder, name in whole.items()}
    counts = Counter(stripped.values())
    return {folder: name if counts[name] == 1 else whole[folder] for folder, name in stripped.items()}


def check_frame_size(width: int, height: int, place: str) -> None:
    """Raise AnnotationError, which names `place`, unless a frame can have this size in pixels."""
    if not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
        raise AnnotationError(f"{place}: {width} x {height} is no size of a frame")


def check_object_count(count: int, place: str) -> None:
    """Raise AnnotationError, which names `place`, if a video cannot have this number of objects."""
    if count > MAX_OBJECTS:
        raise AnnotationError(f"{place}: it has {count} objects; a video has {MAX_OBJECTS} at most")


def number_objects(keys: Iterable[int]) -> dict[int, int]:
    """Return the id of each object by the number that a file gives it.

    The numbers stay if each of them can be an id, 1..254. Otherwise the objects become 1, 2, ... in ascending order.
    """
    ordered = sorted(set(keys))
    if all(0 < key <= MAX_OBJECTS for key in ordered):
        return {key: key for key in ordered}
    return {key: number for number, key in enumerate(ordered, 1)}


def blank_mask(width: int, height: int) -> LabelMap:
    return np.zeros((height, width), np.uint8)
