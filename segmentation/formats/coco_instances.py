"""Reads and writes masks as COCO instances (JSON): one annotation, with run lengths, for each object in each frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    categories,
    check_frame_size,
    check_object_count,
    folder_titles,
    number_objects,
)
from segmentation.formats.coco_rle import BinaryMask, decode_segmentation
from segmentation.formats.instances_json import (
    annotation_fields,
    annotations_by,
    category_names,
    compact_json,
    instances_pieces,
)
from segmentation.formats.json_file import AnnotationError, at_place, field
from segmentation.formats.label_png import MaskError
from segmentation.formats.object_masks import object_masks
from segmentation.types import MAX_OBJECTS, LabelMap


def coco_pieces(
    videos: list[AnnotatedVideo], tick: Any = lambda: None, numbers: dict[str, int] | None = None
) -> Iterator[bytes]:
    """Yield the bytes of a COCO file with all masks of `videos`, piece by piece. `tick` is called after each frame.

    `numbers` are the ids of the categories by name, which several files can share; None: 1, 2, ... by name.

    Each annotation also has a field `track_id`, which is not part of COCO: the object's id in its video.
    """
    numbers = categories(videos) if numbers is None else numbers
    return instances_pieces(numbers, "images", _written_images(videos), _written(videos, tick, numbers))


def _written_images(videos: list[AnnotatedVideo]) -> Iterator[dict[str, Any]]:
    ids = count(1)
    for video in videos:
        size = {"width": video.width, "height": video.height}
        for index, frame in zip(video.numbers, video.frames, strict=True):
            image = {"id": next(ids), "file_name": f"{video.name}/{frame}.jpg"}
            yield {**image, **size, "video": video.name, "frame_index": index}


def _written(videos: list[AnnotatedVideo], tick: Any, numbers: dict[str, int]) -> Iterator[bytes]:
    """Yield the JSON of the annotations of all frames, in the order of the images."""
    ids, images = count(1), count(1)
    for video in videos:
        for labels, image_id in zip(video.masks(), images, strict=False):
            for mask in object_masks(video, labels):
                yield compact_json(
                    annotation_fields(
                        next(ids),
                        numbers[mask.object.category],
                        image_id=image_id,
                        track_id=mask.object.id,
                        area=mask.area,
                        bbox=list(mask.box),
                        segmentation=mask.rle,
                    )
                )
            tick()


def read_coco(data: dict[str, Any]) -> dict[str, LabelMap]:
    """Return the mask, uint8 [H, W], of each image of a COCO file, by the image's `file_name`.

    The id of an object is its `track_id` if there is one, otherwise its position (1, 2, ...) among the annotations of
    the image. Where two objects overlap, the pixels belong to that of the later annotation in the file.

    Raises:
        AnnotationError: the content is damaged or is not what COCO prescribes.
    """
    maps = {}
    for image in _images(data):
        numbers = []
        for order, each in enumerate(image.annotations, 1):
            track = each.content.get("track_id", order)
            if not isinstance(track, int) or not 0 < track <= MAX_OBJECTS:
                raise AnnotationError(f"{each.place}.track_id: expected a whole number in 1..{MAX_OBJECTS}")
            numbers.append(track)
        maps[image.file] = _painted(image, numbers)
    return maps


def read_coco_videos(data: dict[str, Any]) -> list[AnnotatedVideo]:
    """Read a COCO file whose images are the frames of videos.

    The images of one folder are the frames of one video, in the order of the file; `video` in an image overrules its
    folder. A video is named after the last folder; where two would have one name, after all of them (train/car). An
    object is what has the same `track_id` or `instance_id` in all frames of a video (CVAT writes it into
    `attributes`). Annotations without one are put together by category and position: the second car of each image is
    one object. Masks are decoded by `AnnotatedVideo.masks`.

    Raises:
        AnnotationError: the content is damaged, or a video has too many objects or frames of different sizes. Reading
            the masks also raises it, if they are damaged.
    """
    names = category_names(data)
    videos: dict[str, list[_Image]] = {}
    for image in _images(data):
        videos.setdefault(image.video, []).append(image)
    titles = folder_titles(videos)
    return [_video(name, titles[name], images, names) for name, images in videos.items()]


@dataclass(frozen=True)
class _Annotation:
    place: str
    content: dict[str, Any]


@dataclass(frozen=True)
class _Image:
    place: str
    file: str
    video: str
    width: int
    height: int
    annotations: list[_Annotation]


def _images(data: dict[str, Any]) -> Iterator[_Image]:
    found = annotations_by(data, "image_id")
    for at, image in enumerate(field(data, "images", list, "file")):
        place = f"images[{at}]"
        width, height = field(image, "width", int, place), field(image, "height", int, place)
        check_frame_size(width, height, place)
        file = field(image, "file_name", str, place).replace("\\", "/")
        folder = str(PurePosixPath(file).parent)
        video = image.get("video")
        name = video if isinstance(video, str) and video else "" if folder == "." else folder
        rows = [_Annotation(*row) for row in found.get(field(image, "id", int, place), ())]
        yield _Image(place, file, name, width, height, rows)


def _video(name: str, title: str, images: list[_Image], names: dict[int, str]) -> AnnotatedVideo:
    width, height = images[0].width, images[0].height
    for image in images:
        if (image.width, image.height) != (width, height):
            raise AnnotationError(
                f"{image.place}: it has {image.width} x {image.height} pixels, {images[0].place} of the same video "
                f"has {width} x {height}"
            )
    keys = [_keys(image) for image in images]
    tracks = {key: category for pairs in keys for key, category in pairs}
    check_object_count(len(tracks), f"video {name!r}" if name else "file")
    numbers = _numbers(list(tracks))

    def masks() -> Iterator[LabelMap | None]:
        for image, pairs in zip(images, keys, strict=True):
            yield _painted(image, [numbers[key] for key, _ in pairs])

    objects = sorted((AnnotatedObject(numbers[key], "", names.get(tracks[key], "")) for key in tracks), key=_id_of)
    frames = tuple(PurePosixPath(image.file).stem for image in images)
    return AnnotatedVideo(title, width, height, 24.0, frames, tuple(objects), masks)


def _id_of(each: AnnotatedObject) -> int:
    return each.id


_Key = tuple[int, int]  # (-1, number of the track), or (category, position among its annotations of the image)


def _keys(image: _Image) -> list[tuple[_Key, int]]:
    """Return, for each annotation of an image, what identifies its object in the whole video, and its category."""
    counts: dict[int, int] = {}
    found = []
    for each in image.annotations:
        category = field(each.content, "category_id", int, each.place)
        track = _track(each.content)
        if track is None:
            counts[category] = counts.get(category, 0) + 1
            found.append(((category, counts[category]), category))
        else:
            found.append(((-1, track), category))
    return found


def _track(annotation: dict[str, Any]) -> int | None:
    inside = annotation.get("attributes")
    for holder in (annotation, inside if isinstance(inside, dict) else {}):
        for name in ("track_id", "instance_id"):
            value = holder.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return None


def _numbers(keys: list[_Key]) -> dict[_Key, int]:
    """Return the id of each object: the number of its track where all have one that can be an id, else 1, 2, ..."""
    if all(category == -1 for category, _ in keys):
        numbers = number_objects(track for _, track in keys)
        return {key: numbers[key[1]] for key in keys}
    return {key: number for number, key in enumerate(sorted(keys), 1)}


def _painted(image: _Image, numbers: list[int]) -> LabelMap:
    """Return the mask of an image. `numbers` are the ids of the objects of its annotations."""
    labels = blank_mask(image.width, image.height)
    for each, number in zip(image.annotations, numbers, strict=True):
        labels[_inside(each, image.height, image.width)] = number
    return labels


def _inside(annotation: _Annotation, height: int, width: int) -> BinaryMask:
    return at_place(
        f"{annotation.place}.segmentation",
        lambda: decode_segmentation(annotation.content.get("segmentation"), height, width),
        MaskError,
    )
