"""Combines the shapes that an annotation program stores image by image into the objects of a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    check_frame_size,
    check_object_count,
    number_objects,
)
from segmentation.formats.coco_rle import BinaryMask
from segmentation.formats.json_file import AnnotationError, at_place
from segmentation.formats.label_png import MaskError
from segmentation.types import LabelMap


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape in an image. `track` is what all shapes of one object have in common, or None; `inside` returns its
    pixels, bool [H, W]. Shapes of a higher `order` lie above those of a lower one.
    """

    label: str
    track: int | None
    inside: Callable[[], BinaryMask]
    order: int = 0


@dataclass(frozen=True)
class ShapeFrame:
    """An image with its shapes. Of overlapping shapes with the same `order`, the later one lies above. `place` names
    the image in messages.
    """

    place: str
    name: str
    width: int
    height: int
    shapes: Sequence[Shape]


def video_of_shapes(name: str, frames: Sequence[ShapeFrame]) -> AnnotatedVideo:
    """Return the video of some images. Shapes without a track are one object if they have the same label and the same
    position among the shapes of this label in their image.

    The numbers of tracks stay the ids of the objects if each shape has one that can be an id, and no track has two
    labels. Otherwise the objects become 1, 2, ...: in the order of their tracks if each shape has one and no track has
    two labels, else in the order of their first shapes.

    Raises:
        AnnotationError: the images have too many pixels, different sizes, or too many objects.
    """
    width, height = frames[0].width, frames[0].height
    check_frame_size(width, height, frames[0].place)
    keys = [_keys(frame.shapes) for frame in frames]
    ids = {key: number for number, key in enumerate(dict.fromkeys(key for found in keys for key in found), 1)}
    check_object_count(len(ids), f"video {name!r}" if name else "file")
    tracks = [track for _, track, has_track in ids if has_track]
    if len(set(tracks)) == len(ids):
        kept = number_objects(tracks)
        ids = {key: kept[key[1]] for key in ids}
    for frame in frames:
        if (frame.width, frame.height) != (width, height):
            raise AnnotationError(f"{frame.place}: its size differs from that of {frames[0].place}")

    def masks() -> Iterator[LabelMap | None]:
        for frame, found in zip(frames, keys, strict=True):
            labels = blank_mask(width, height)
            for shape, key in sorted(zip(frame.shapes, found, strict=True), key=lambda pair: pair[0].order):
                labels[at_place(frame.place, shape.inside, MaskError)] = ids[key]
            yield labels

    objects = sorted((AnnotatedObject(number, "", key[0]) for key, number in ids.items()), key=lambda each: each.id)
    return AnnotatedVideo(name, width, height, 24.0, tuple(frame.name for frame in frames), tuple(objects), masks)


_Key = tuple[str, int, bool]  # The label; the track, or the position among the shapes of this label; whether a track.


def _keys(shapes: Sequence[Shape]) -> list[_Key]:
    """Return, for each shape of an image, what identifies its object in the whole video."""
    counts: dict[str, int] = {}
    found = []
    for shape in shapes:
        counts[shape.label] = counts.get(shape.label, 0) + 1
        track = shape.track
        found.append((shape.label, counts[shape.label], False) if track is None else (shape.label, track, True))
    return found
