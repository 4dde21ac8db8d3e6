"""Reads and writes masks in the two forms of MOTS and KITTI-MOTS: 16-bit PNG files and lines of text.

A pixel value of a PNG, and `id` in the text, is class id * 1000 + object id. A line of text is
`frame id class height width run-lengths`, with the run lengths of COCO.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.coco_rle import decode_segmentation, encode_rle
from segmentation.formats.json_file import AnnotationError
from segmentation.formats.label_png import MaskError
from segmentation.types import MAX_OBJECTS, LabelMap

IGNORED = 10000  # The id of regions that the benchmark does not evaluate. It is read as 255, "ignore".
MOST_PIXELS = 1 << 26  # largest frame, in pixels, that is read


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
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            values = np.asarray(image).astype(np.int64)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise MaskError("it cannot be read as a PNG") from None
    if values.ndim != 2:
        raise MaskError("expected a PNG with one channel of 16 bits")
    return _objects(values)


def mots_lines(frame: int, labels: LabelMap, video: AnnotatedVideo, numbers: dict[str, int]) -> Iterator[str]:
    """Yield the lines of MOTS text for the objects of one frame. `numbers` are the ids of the classes by class name."""
    for each in video.objects:
        inside = labels == each.id
        if inside.any():
            number = numbers[each.category]
            counts = encode_rle(inside)["counts"]
            yield f"{frame} {1000 * number + each.id} {number} {video.height} {video.width} {counts}"


def read_mots_text(lines: Iterable[str]) -> dict[int, LabelMap]:
    """Return the masks, uint8 [H, W], by frame. Raises AnnotationError for a wrong line; the message names the line."""
    maps: dict[int, LabelMap] = {}
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts:
            continue
        try:
            frame, value, _, height, width = (int(part) for part in parts[:5])
            if len(parts) != 6 or frame < 0 or not (height > 0 and width > 0 and height * width <= MOST_PIXELS):
                raise ValueError
            inside = decode_segmentation({"size": [height, width], "counts": parts[5]}, height, width)
            labels = maps.setdefault(frame, np.zeros((height, width), np.uint8))
            if labels.shape != inside.shape:
                raise MaskError("its size differs from that of an earlier line of the same frame")
            labels[inside] = _objects(np.array(value))
        except MaskError as error:
            raise AnnotationError(f"line {number}: {error}") from None
        except ValueError:
            raise AnnotationError(f"line {number}: expected `frame id class height width run-lengths`") from None
    return maps


def _objects(values: np.ndarray) -> LabelMap:
    objects = np.where(values == IGNORED, 255, np.where(values > 255, values % 1000, values))
    if objects.min(initial=0) < 0 or (objects[values != IGNORED] > MAX_OBJECTS).any():
        raise MaskError(f"an id of an object is not in 0..{MAX_OBJECTS}")
    return objects.astype(np.uint8)
