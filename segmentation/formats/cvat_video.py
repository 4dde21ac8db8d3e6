"""Reads and writes the masks of one video in CVAT's XML for videos.

The file has a track for each object, with a mask for each frame that shows the object. The run lengths of a mask go row
by row through its bounding box, and the first run is background.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from segmentation.formats.coco_rle import area_and_box
from segmentation.formats.json_file import AnnotationError
from segmentation.types import MAX_OBJECTS, LabelMap

MOST_PIXELS = 1 << 26  # largest frame, in pixels, that is read


def cvat_xml(video: AnnotatedVideo, tick: Any = lambda: None) -> bytes:
    """Return the CVAT XML file of a video. `tick` is called after each frame."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    for name, text in (("name", video.name), ("size", str(len(video.frames))), ("mode", "interpolation")):
        ElementTree.SubElement(task, name).text = text
    size = ElementTree.SubElement(task, "original_size")
    ElementTree.SubElement(size, "width").text = str(video.width)
    ElementTree.SubElement(size, "height").text = str(video.height)
    tracks = {
        each.id: ElementTree.SubElement(root, "track", id=str(each.id), label=each.category, source="manual")
        for each in video.objects
    }
    shown = dict.fromkeys(tracks, False)
    for frame, labels in enumerate(video.masks()):
        for number, track in tracks.items():
            shown[number] = _add_mask(track, frame, None if labels is None else labels == number, shown[number])
        tick()
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def read_cvat_xml(data: bytes) -> AnnotatedVideo:
    """Read a CVAT XML file. Its tracks become the objects 1, 2, ... in the order of the file.

    Raises:
        AnnotationError: the file is damaged, has XML entities, or has shapes that are not masks (boxes, polygons).
    """
    root = _parse(data)
    width, height = _number(root, "meta/task/original_size/width"), _number(root, "meta/task/original_size/height")
    count = _number(root, "meta/task/size")
    if not (width > 0 and height > 0 and width * height <= MOST_PIXELS) or not 0 <= count <= 1 << 20:
        raise AnnotationError(f"{count} frames of {width} x {height}: these are no sizes of a video")
    tracks = root.findall("track")
    if len(tracks) > MAX_OBJECTS:
        raise AnnotationError(f"it has {len(tracks)} tracks; a video has {MAX_OBJECTS} objects at most")
    by_frame: dict[int, list[tuple[int, ElementTree.Element]]] = {}
    objects = []
    for number, track in enumerate(tracks, 1):
        label = track.get("label", "")
        objects.append(AnnotatedObject(number, f"{label} {number}", label))
        for shape in track:
            if shape.tag != "mask":
                raise AnnotationError(f"track {number}: it has a {shape.tag}; only masks are read")
            if shape.get("outside") != "1":
                by_frame.setdefault(_attribute(shape, "frame"), []).append((number, shape))

    def masks() -> Iterator[LabelMap | None]:
        for frame in range(count):
            labels = np.zeros((height, width), np.uint8)
            for number, shape in by_frame.get(frame, []):
                _paint(labels, number, shape)
            yield labels

    frames = tuple(f"{frame:05}" for frame in range(count))
    name = root.findtext("meta/task/name") or "video"
    return AnnotatedVideo(name, width, height, 24.0, frames, tuple(objects), masks)


def _add_mask(track: ElementTree.Element, frame: int, mask: NDArray[np.bool_] | None, shown: bool) -> bool:
    """Add an object's mask of one frame to its track, and return whether the frame shows the object.

    In the first frame after the object's last mask, a mask with CVAT's mark `outside="1"` is added.

    Args:
        mask: the object's pixels, bool [H, W], or None for a frame without a mask.
        shown: whether the frame before showed the object.
    """
    area, (x, y, width, height) = (0, [0, 0, 0, 0]) if mask is None else area_and_box(mask)
    if mask is None or not area:
        if shown:
            _element(track, frame, "1", (0, 0, 1, 1), outside="1")
        return False
    box = mask[y : y + height, x : x + width].ravel()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], box)))) if box.size else np.array([], int)
    runs = np.diff(np.concatenate(([0], edges, [box.size])))
    _element(track, frame, ", ".join(map(str, runs)), (x, y, width, height), outside="0")
    return True


def _element(track: ElementTree.Element, frame: int, rle: str, box: tuple[int, int, int, int], outside: str) -> None:
    x, y, width, height = map(str, box)
    ElementTree.SubElement(
        track, "mask", frame=str(frame), keyframe="1", outside=outside, occluded="0", z_order="0",
        rle=rle, left=x, top=y, width=width, height=height,
    )  # fmt: skip


def _paint(labels: LabelMap, number: int, shape: ElementTree.Element) -> None:
    x, y, width, height = (_attribute(shape, name) for name in ("left", "top", "width", "height"))
    place = f"track {number}, frame {shape.get('frame')}"
    if width < 1 or height < 1 or x + width > labels.shape[1] or y + height > labels.shape[0]:
        raise AnnotationError(f"{place}: the box of the mask does not lie inside the frame")
    try:
        runs = [int(part) for part in shape.get("rle", "").split(",")]
    except ValueError:
        raise AnnotationError(f"{place}: rle is no list of numbers") from None
    if min(runs) < 0 or sum(runs) != width * height:
        raise AnnotationError(f"{place}: rle is not for {width * height} pixels")
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    labels[y : y + height, x : x + width][inside] = number


def _parse(data: bytes) -> ElementTree.Element:
    """Parse XML, and refuse entities: with these, a small file could become huge or include other files."""
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


def _number(root: ElementTree.Element, path: str) -> int:
    text = root.findtext(path) or ""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise AnnotationError(f"{path}: expected a whole number")
    return int(text)


def _attribute(shape: ElementTree.Element, name: str) -> int:
    text = shape.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise AnnotationError(f"mask, {name}: expected a whole number")
    return int(text)
