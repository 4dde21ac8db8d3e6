"""Reads and writes masks in the two forms of MOTS and KITTI-MOTS: 16-bit PNG files and lines of text.

A pixel value of a PNG, and `id` in the text, is class id * 1000 + object id. A line of text is
`frame id class height width run-lengths`, with the run lengths of COCO.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    check_frame_size,
    check_object_count,
    number_objects,
)
from segmentation.formats.coco_rle import decode_segmentation, object_runs
from segmentation.formats.json_file import AnnotationError, at_place
from segmentation.formats.label_png import MaskError
from segmentation.types import MAX_OBJECTS, LabelMap

IGNORED = 10000  # The id of regions that the benchmark does not evaluate. It is read as 255, "ignore".
MOST_FRAMES = 1 << 20  # largest number of a frame that is read
CLASSES = {1: "car", 2: "pedestrian"}  # The classes of KITTI-MOTS and MOTSChallenge.
FIRST_OWN_CLASS = 11  # Other classes are numbered from here on: 10 marks regions that are not evaluated.
MOST_CLASSES = 64  # The largest class for which class * 1000 + object fits into 16 bits for all objects up to 999.


def encode_mots_png(labels: LabelMap, video: AnnotatedVideo, numbers: dict[str, int]) -> bytes:
    """Encode a mask, uint8 [H, W], as a 16-bit PNG of MOTS. `numbers` are the ids of the classes by class name."""
    table = np.zeros(256, np.uint16)
    for each in video.objects:
        table[each.id] = 1000 * numbers[each.category] + each.id
    buffer = io.BytesIO()
    Image.fromarray(table[labels]).save(buffer, "PNG")
    return buffer.getvalue()


def decode_mots_png(data: bytes) -> LabelMap:
    """Decode a 16-bit PNG of MOTS to a mask of object ids, uint8 [H, W]. Raises MaskError if it is not such a file."""
    values = read_values(data)
    objects = np.where(values == IGNORED, 255, np.where(values > 255, values % 1000, values))
    if (objects[values != IGNORED] > MAX_OBJECTS).any():
        raise MaskError(f"an id of an object is not in 0..{MAX_OBJECTS}")
    return objects.astype(np.uint8)


def read_values(data: bytes) -> NDArray[np.int32]:
    """Return the values, [H, W], of a PNG with one channel of up to 16 bits. Raises MaskError for other files."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            check_frame_size(*image.size, "the PNG")
            values = np.asarray(image).astype(np.int32)
    except AnnotationError as error:
        raise MaskError(str(error)) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise MaskError("it cannot be read as a PNG") from None
    if values.ndim != 2:
        raise MaskError("expected a PNG with one channel of 16 bits")
    return values


def mots_lines(frame: int, labels: LabelMap, video: AnnotatedVideo, numbers: dict[str, int]) -> Iterator[str]:
    """Yield the lines of MOTS text for the objects of one frame. `numbers` are the ids of the classes by class name."""
    runs = object_runs(labels)
    for each in video.objects:
        if each.id in runs:
            number, counts = numbers[each.category], runs[each.id].rle["counts"]
            yield f"{frame} {1000 * number + each.id} {number} {video.height} {video.width} {counts}"


def read_mots_text(lines: Iterable[str], name: str = "", classes: Mapping[int, str] = CLASSES) -> AnnotatedVideo:
    """Read the text of one video. Its frames are those that have a line, named by their numbers with six digits.

    Args:
        lines: the lines of the file.
        name: the name of the video.
        classes: the names of the classes by their ids.

    Raises:
        AnnotationError: a line is wrong (the message names it), there is no line, or there are too many objects.
            Reading the masks also raises it, if their run lengths are damaged.
    """
    by_frame: dict[int, list[_Line]] = {}
    size: tuple[int, int] | None = None
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        line = _line(number, text)
        size = size or (line.height, line.width)
        if size != (line.height, line.width):
            raise AnnotationError(f"line {number}: its size differs from that of an earlier line")
        by_frame.setdefault(line.frame, []).append(line)
    if size is None:
        raise AnnotationError("it has no line")
    height, width = size
    ids, objects = _objects((line.value for found in by_frame.values() for line in found), classes)
    frames = sorted(by_frame)

    def masks() -> Iterator[LabelMap | None]:
        for frame in frames:
            labels = blank_mask(width, height)
            for line in by_frame[frame]:
                labels[line.mask()] = 255 if line.value == IGNORED else ids[line.value]
            yield labels

    return AnnotatedVideo(name, width, height, 24.0, tuple(f"{frame:06}" for frame in frames), objects, masks)


def read_mots_pngs(
    paths: list[str],
    read: Callable[[str], bytes],
    name: str = "",
    classes: Mapping[int, str] = CLASSES,
    least: int = 1,
    name_of: Callable[[str], str] = lambda path: PurePosixPath(path).stem,
) -> AnnotatedVideo:
    """Read the 16-bit PNG files of one video, in order. `read` returns the bytes of a file.

    Values below `least` are background. `name_of` returns the name of the frame whose mask lies at a path.

    Raises AnnotationError if a file is damaged or differs in size from the first (the message names it), or if there
    are too many objects.
    """
    values: set[int] = set()
    size = (0, 0)
    for path in paths:
        found = at_place(path, lambda path=path: read_values(read(path)), MaskError)  # type: ignore[misc]
        if path == paths[0]:
            size = (found.shape[0], found.shape[1])
        if found.shape != size:
            given = f"{found.shape[1]} x {found.shape[0]} pixels"
            raise AnnotationError(f"{path}: it has {given}, the first file of its video {size[1]} x {size[0]}")
        values.update(value for value in np.unique(found).tolist() if value >= least)
    ids, objects = _objects(values, classes)

    def masks() -> Iterator[LabelMap | None]:
        for path in paths:
            found = read_values(read(path))
            labels = np.zeros(found.shape, np.uint8)
            for value in np.unique(found).tolist():
                if value >= least:
                    labels[found == value] = 255 if value == IGNORED else ids[value]
            yield labels

    stems = tuple(name_of(path) for path in paths)
    return AnnotatedVideo(name, size[1], size[0], 24.0, stems, objects, masks)


@dataclass(frozen=True)
class _Line:
    number: int
    frame: int
    value: int
    height: int
    width: int
    counts: str

    def mask(self) -> NDArray[np.bool_]:
        data = {"size": [self.height, self.width], "counts": self.counts}
        return at_place(f"line {self.number}", lambda: decode_segmentation(data, self.height, self.width), MaskError)


def _line(number: int, text: str) -> _Line:
    parts = text.split()
    try:
        frame, value, _, height, width = (int(part) for part in parts[:5])
        if len(parts) != 6 or not (0 <= frame < MOST_FRAMES and 0 < value < 1 << 31):
            raise ValueError
    except ValueError:
        raise AnnotationError(f"line {number}: expected `frame id class height width run-lengths`") from None
    check_frame_size(width, height, f"line {number}")
    return _Line(number, frame, value, height, width, parts[5])


def _objects(values: Iterable[int], classes: Mapping[int, str]) -> tuple[dict[int, int], tuple[AnnotatedObject, ...]]:
    """Return the object id of each value in a file, and the objects.

    The ids are those of the file if all are in 1..254 and no two classes use the same one. Otherwise the objects become
    1, 2, ...
    """
    present = sorted(set(values) - {0, IGNORED})
    inner = [value % 1000 if value >= 1000 else value for value in present]
    distinct = len(set(inner)) == len(inner)
    table = number_objects(inner if distinct else present)
    check_object_count(len(present), "file")
    ids = {value: table[key] for value, key in zip(present, inner if distinct else present, strict=True)}
    objects = [
        AnnotatedObject(ids[value], "", classes.get(value // 1000, f"class {value // 1000}") if value >= 1000 else "")
        for value in present
    ]
    return ids, tuple(sorted(objects, key=lambda each: each.id))
