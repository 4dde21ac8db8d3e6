"""Puts the shapes that a program stores image by image together to the objects of a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    check_frame_size,
    check_object_count,
)
from segmentation.formats.coco_rle import BinaryMask
from segmentation.formats.json_file import AnnotationError, at_place
from segmentation.formats.label_png import MaskError
from segmentation.types import LabelMap


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape in an image. `track` is what all shapes of one object have in common, or None; `inside` returns its
    pixels, bool [H, W].
    """

    label: str
    track: int | None
    inside: Callable[[], BinaryMask]


@dataclass(frozen=True)
class ShapeFrame:
    """An image with its shapes, of which later ones lie above. `place` names the image in messages."""

    place: str
    name: str
    width: int
    height: int
    shapes: Sequence[Shape]


def video_of_shapes(name: str, frames: Sequence[ShapeFrame]) -> AnnotatedVideo:
    """Return the video of some images. Shapes without a track are one object if they have the same label and the same
    position among the shapes of this label in their image.

    Raises:
        AnnotationError: the images have different sizes, or too many objects.
    """
    width, height = frames[0].width, frames[0].height
    check_frame_size(width, height, frames[0].place)
    ids: dict[tuple[str, int, int], int] = {}
    numbers: list[list[int]] = []
    for frame in frames:
        if (frame.width, frame.height) != (width, height):
            raise AnnotationError(f"{frame.place}: its size differs from that of {frames[0].place}")
        counts: dict[str, int] = {}
        found = []
        for shape in frame.shapes:
            counts[shape.label] = counts.get(shape.label, 0) + 1
            own = (shape.label, counts[shape.label], 0)
            key = own if shape.track is None else (shape.label, shape.track, 1)
            found.append(ids.setdefault(key, len(ids) + 1))
        numbers.append(found)
    check_object_count(len(ids), f"video {name!r}" if name else "file")

    def masks() -> Iterator[LabelMap | None]:
        for frame, found in zip(frames, numbers, strict=True):
            labels = blank_mask(width, height)
            for shape, number in zip(frame.shapes, found, strict=True):
                labels[at_place(frame.place, shape.inside, MaskError)] = number
            yield labels

    objects = tuple(AnnotatedObject(number, "", label) for (label, _, _), number in ids.items())
    return AnnotatedVideo(name, width, height, 24.0, tuple(frame.name for frame in frames), objects, masks)
