"""Writes masks in CVAT's XML for videos, and reads CVAT's XML for videos and for images.

A file for videos has a track for each object, with a mask for each frame that shows the object. The run lengths of a
mask go row by row through its bounding box, and the first run is background.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    check_frame_size,
    check_object_count,
    folder_titles,
    number_objects,
)
from segmentation.formats.coco_rle import BinaryMask, decode_segmentation
from segmentation.formats.json_file import AnnotationError, at_place
from segmentation.formats.label_png import MaskError
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.formats.shape_frames import Shape, ShapeFrame, video_of_shapes
from segmentation.types import LabelMap

MOST_FRAMES = 1 << 20  # largest number of frames of a video that is read
# The element in <meta> that says which frames have a mask, such as 0-4,9-9. Without it, a frame without a mask would be
# read as one with an empty mask. Only Maskwright writes it; other programs skip it.
FRAMES_WITH_MASK = "frames_with_mask"
NOTHING = {"rle": "1", "left": "0", "top": "0", "width": "1", "height": "1"}  # a mask without a pixel


def cvat_pieces(video: AnnotatedVideo, tick: Any = lambda: None) -> Iterator[bytes]:
    """Yield the bytes of the CVAT XML file of a video, piece by piece. `tick` is called after each frame.

    The masks are kept as text until the last frame is read, because the file lists the masks object by object.
    """
    tracks, spans = _written_tracks(video, tick)
    yield b"<?xml version='1.0' encoding='utf-8'?>\n<annotations><version>1.1</version>" + _meta(video, spans)
    for each in video.objects:
        track = ElementTree.Element("track", id=str(each.id), label=each.category, source="manual")
        empty = ElementTree.tostring(track, encoding="utf-8")
        masks = tracks.pop(each.id)
        if not masks:
            yield empty
            continue
        yield empty.removesuffix(b" />") + b">"
        yield from masks
        yield b"</track>"
    yield b"</annotations>"


def _meta(video: AnnotatedVideo, spans: list[list[int]]) -> bytes:
    """Return the element about the video. `spans` are the inclusive spans of frames that have a mask."""
    meta = ElementTree.Element("meta")
    task = ElementTree.SubElement(meta, "task")
    for name, text in (
        ("name", video.name),
        ("size", str(max(video.numbers, default=-1) + 1)),
        ("mode", "interpolation"),
    ):
        ElementTree.SubElement(task, name).text = text
    size = ElementTree.SubElement(task, "original_size")
    ElementTree.SubElement(size, "width").text = str(video.width)
    ElementTree.SubElement(size, "height").text = str(video.height)
    text = ",".join(f"{first}-{last}" for first, last in spans)
    ElementTree.SubElement(meta, FRAMES_WITH_MASK).text = text
    return bytes(ElementTree.tostring(meta, encoding="utf-8"))


def _written_tracks(video: AnnotatedVideo, tick: Any) -> tuple[dict[int, list[bytes]], list[list[int]]]:
    """Return the masks of each object by its id, as XML elements, and the inclusive spans of frames that have a mask.

    `tick` is called after each frame.
    """
    tracks: dict[int, list[bytes]] = {each.id: [] for each in video.objects}
    shown: set[int] = set()
    spans: list[list[int]] = []
    for frame, labels in zip(video.numbers, video.masks(), strict=True):
        if labels is not None:
            if spans and spans[-1][1] == frame - 1:
                spans[-1][1] = frame
            else:
                spans.append([frame, frame])
        masks = {mask.object.id: mask for mask in object_masks(video, labels)}
        for number, mask in masks.items():
            tracks[number].append(_mask_element({**_keyframe(frame, "0"), **mask_attributes(mask)}))
        for number in shown - masks.keys():
            # CVAT's mark for the first frame after the object's last mask.
            tracks[number].append(_mask_element({**_keyframe(frame, "1"), **NOTHING}))
        shown = set(masks)
        tick()
    return tracks, spans


def _mask_element(attributes: dict[str, str]) -> bytes:
    return bytes(ElementTree.tostring(ElementTree.Element("mask", attributes), encoding="utf-8"))


def read_cvat_xml(data: bytes) -> list[AnnotatedVideo]:
    """Read a CVAT XML file, for videos or for images: masks and polygons.

    A file for videos is one video, whose tracks are the objects. Of a file for images, the images of one folder are a
    video, and an object is what has the same `group_id` in all its images; shapes without one are put together by
    label and position: the second car of each image is one object.

    Raises:
        AnnotationError: the file is damaged, has XML entities, or has shapes of other kinds (boxes, points). Reading
            the masks also raises it, if they are damaged.
    """
    root = parse_xml(data)
    if root.tag != "annotations":
        raise AnnotationError(f"it begins with <{root.tag[:40]}>, a CVAT file with <annotations>")
    return _images(root) if root.find("image") is not None else [_video(root)]


def _video(root: ElementTree.Element) -> AnnotatedVideo:
    width, height = _number(root, "meta/task/original_size/width"), _number(root, "meta/task/original_size/height")
    count = _number(root, "meta/task/size")
    check_frame_size(width, height, "original_size")
    if count > MOST_FRAMES:
        raise AnnotationError(f"{count} frames are more than a video has")
    tracks = root.findall("track")
    check_object_count(len(tracks), "file")
    keys = [_attribute(track, "id") for track in tracks] if all(_is_number(t.get("id")) for t in tracks) else []
    if len(set(keys)) != len(tracks):
        keys = list(range(1, len(tracks) + 1))
    ids = number_objects(keys)
    by_frame: dict[int, list[_Shape]] = {}
    for key, track in zip(keys, tracks, strict=True):
        for element in track:
            frame = _attribute(element, "frame")
            shape = _shape(element, ids[key], f"track {key}, frame {frame}")
            if element.get("outside") != "1":
                by_frame.setdefault(frame, []).append(shape)
    for frame in by_frame:
        if frame >= count:
            raise AnnotationError(f"frame {frame}: the video has {count} frames")

    masked = _frames_with_mask(root, count)

    def masks() -> Iterator[LabelMap | None]:
        for frame in range(count):
            there = masked is None or frame in masked or frame in by_frame
            yield _painted(by_frame.get(frame, []), width, height) if there else None

    objects = [AnnotatedObject(ids[key], "", track.get("label", "")) for key, track in zip(keys, tracks, strict=True)]
    frames = tuple(f"{frame:05}" for frame in range(count))
    name = root.findtext("meta/task/name") or "video"
    return AnnotatedVideo(name, width, height, 24.0, frames, tuple(objects), masks)


def _frames_with_mask(root: ElementTree.Element, count: int) -> set[int] | None:
    """Return the frames that have a mask, or None if the file does not say it and all of them have one.

    Raises AnnotationError for spans of another form or of frames that the video does not have.
    """
    element = root.find(f"meta/{FRAMES_WITH_MASK}")
    if element is None:
        return None
    text = element.text or ""
    found: set[int] = set()
    for span in text.split(",") if text else []:
        match = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", span)
        if match is None or int(match[2]) >= count:
            raise AnnotationError(f"meta/{FRAMES_WITH_MASK}: expected spans of frames below {count}, such as 0-4,9-9")
        found.update(range(int(match[1]), int(match[2]) + 1))
    return found


def _images(root: ElementTree.Element) -> list[AnnotatedVideo]:
    folders: dict[str, list[ElementTree.Element]] = {}
    for image in root.findall("image"):
        name = image.get("name", "").replace("\\", "/")
        folders.setdefault(str(PurePosixPath(name).parent), []).append(image)
    titles = folder_titles(folders)
    if "." in titles:
        name = root.findtext("meta/task/name") or ""
        titles["."] = name if name not in titles.values() else f"./{name}"
    return [_folder(titles[folder], rows) for folder, rows in folders.items()]


def _folder(name: str, images: list[ElementTree.Element]) -> AnnotatedVideo:
    frames = []
    for image in images:
        title = image.get("name", "").replace("\\", "/")
        place = f"image {title[:100]}"
        width, height = _attribute(image, "width"), _attribute(image, "height")
        check_frame_size(width, height, place)
        shapes = [_image_shape(_shape(element, 0, place), width, height) for element in image]
        frames.append(ShapeFrame(place, PurePosixPath(title).stem, width, height, shapes))
    return video_of_shapes(name, frames)


def _image_shape(shape: _Shape, width: int, height: int) -> Shape:
    group = shape.element.get("group_id", "")
    track = int(group) if _is_number(group) and group != "0" else None
    inside = _inside_mask if shape.element.tag == "mask" else _inside_polygon
    return Shape(shape.element.get("label", ""), track, partial(inside, shape, width, height), _height_of(shape))


def mask_attributes(mask: ObjectMask) -> dict[str, str]:
    """Return the attributes with which CVAT's XML describes a mask: its box, and run lengths row by row inside it."""
    values = mask.part.ravel()
    edges = np.flatnonzero(np.diff(values, prepend=False))
    runs = np.diff(edges, prepend=0, append=values.size)
    box = dict(zip(("left", "top", "width", "height"), map(str, mask.box), strict=True))
    return {"rle": ", ".join(map(str, runs)), **box}


def _keyframe(frame: int, outside: str) -> dict[str, str]:
    return {"frame": str(frame), "keyframe": "1", "outside": outside, "occluded": "0", "z_order": "0"}


@dataclass(frozen=True)
class _Shape:
    """A shape of the file, which belongs to the object with this id. `place` names it in messages."""

    element: ElementTree.Element
    id: int
    place: str


def _shape(element: ElementTree.Element, number: int, place: str) -> _Shape:
    if element.tag not in ("mask", "polygon"):
        raise AnnotationError(f"{place}: it has a {element.tag[:40]}; only masks and polygons are read")
    return _Shape(element, number, place)


def _painted(shapes: list[_Shape], width: int, height: int) -> LabelMap:
    """Return the mask of a frame. Where shapes overlap, the pixels belong to that with the highest z_order, then to
    the later one.
    """
    labels = blank_mask(width, height)
    for shape in sorted(shapes, key=_height_of):
        inside = _inside_mask if shape.element.tag == "mask" else _inside_polygon
        labels[inside(shape, width, height)] = shape.id
    return labels


def _height_of(shape: _Shape) -> int:
    text = shape.element.get("z_order", "0")
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else 0


def _inside_polygon(shape: _Shape, width: int, height: int) -> BinaryMask:
    try:
        points = [float(value) for pair in shape.element.get("points", "").split(";") for value in pair.split(",")]
    except ValueError:
        raise AnnotationError(f"{shape.place}: points is no list of pairs x,y") from None
    return at_place(shape.place, lambda: decode_segmentation([points], height, width), MaskError)


def _inside_mask(shape: _Shape, width: int, height: int) -> BinaryMask:
    x, y, columns, rows = (_attribute(shape.element, name) for name in ("left", "top", "width", "height"))
    if columns < 1 or rows < 1 or x + columns > width or y + rows > height:
        raise AnnotationError(f"{shape.place}: the box of the mask does not lie inside the frame")
    try:
        runs = [int(part) for part in shape.element.get("rle", "").split(",")]
    except ValueError:
        raise AnnotationError(f"{shape.place}: rle is no list of numbers") from None
    if min(runs) < 0 or sum(runs) != columns * rows:
        raise AnnotationError(f"{shape.place}: rle is not for {columns * rows} pixels")
    inside = np.zeros((height, width), bool)
    values = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    inside[y : y + rows, x : x + columns] = values.reshape(rows, columns)
    return inside


def parse_xml(data: bytes) -> ElementTree.Element:
    """Parse XML, and refuse entities: with these, a small file could become huge or include other files.

    Raises AnnotationError if `data` is not XML, or declares entities or a document type.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise AnnotationError("it declares entities or a document type, which no program needs to write masks")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(name, attributes)
    parser.EndElementHandler = lambda name: builder.end(name)
    parser.CharacterDataHandler = lambda text: builder.data(text)
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, AnnotationError):
            raise
        raise AnnotationError("it is not XML") from None


def _is_number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit() and len(text) <= 9


def _number(root: ElementTree.Element, path: str) -> int:
    text = root.findtext(path) or ""
    if not _is_number(text):
        raise AnnotationError(f"{path}: expected a whole number")
    return int(text)


def _attribute(shape: ElementTree.Element, name: str) -> int:
    text = shape.get(name, "")
    if not _is_number(text):
        raise AnnotationError(f"{shape.tag[:40]}, {name}: expected a whole number")
    return int(text)
