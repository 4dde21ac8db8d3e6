"""Reads and writes the JSON of Label Studio: brush labels, whose run lengths are a stream of bits, and polygons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np

from segmentation.formats.annotated_video import AnnotatedVideo, check_frame_size, folder_titles
from segmentation.formats.coco_rle import BinaryMask, decode_segmentation, is_coordinate
from segmentation.formats.json_file import AnnotationError, field
from segmentation.formats.label_png import MaskError
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.formats.shape_frames import Shape, ShapeFrame, video_of_shapes

CHANNELS = 4  # The runs are of the bytes of an RGBA image, in which a painted pixel has alpha.
LENGTH_BITS = (4, 8, 12, 16)  # the possible bits of a length in what is written
LOCAL_FILES = "/data/local-files/"  # Under this address Label Studio serves files of its machine; ?d= is their path.


def label_studio_tasks(videos: list[AnnotatedVideo], tick: Any = lambda: None) -> Iterator[dict[str, Any]]:
    """Yield the tasks with the masks of `videos`, one for each frame that has a mask. `tick` is called after each
    frame.

    The image of a task is the local file <video>/<frame>.jpg. `object_id` in `meta` of a result is the id of the object
    in its video.
    """
    for video in videos:
        for frame, labels in zip(video.frames, video.masks(), strict=True):
            if labels is not None:
                image = f"{LOCAL_FILES}?d={quote(f'{video.name}/{frame}.jpg')}"
                results = [_result(mask, video) for mask in object_masks(video, labels)]
                yield {"data": {"image": image}, "annotations": [{"result": results}]}
            tick()


def _result(mask: ObjectMask, video: AnnotatedVideo) -> dict[str, Any]:
    value = {"format": "rle", "rle": encode_bits(mask.inside), "brushlabels": [mask.object.category]}
    return {
        "id": f"object-{mask.object.id}",
        "type": "brushlabels",
        "from_name": "tag",
        "to_name": "image",
        "original_width": video.width,
        "original_height": video.height,
        "image_rotation": 0,
        "meta": {"object_id": mask.object.id, "text": [mask.object.name]},
        "value": value,
    }


def read_label_studio(tasks: list[Any]) -> list[AnnotatedVideo]:
    """Read the exported tasks of a project: each is an image, and those of one folder are the frames of a video.

    Only the first annotation of a task is read. Tasks without results are left out.

    Raises:
        AnnotationError: the content is damaged, or has results other than brush labels and polygons.
    """
    videos: dict[str, list[ShapeFrame]] = {}
    for at, task in enumerate(tasks):
        place = f"task {at}"
        address = next((v for v in field(task, "data", dict, place).values() if isinstance(v, str)), "")
        path = PurePosixPath(_path_in(address))
        found = [
            row for each in field(task, "annotations", list, place)[:1] for row in field(each, "result", list, place)
        ]
        if found:
            videos.setdefault(str(path.parent), []).append(_frame(found, place, path.stem))
    titles = folder_titles(videos)
    return [video_of_shapes(titles[folder], frames) for folder, frames in videos.items()]


def _path_in(address: str) -> str:
    """Return the path of the file in the address of an image."""
    try:
        parts = urlsplit(address)
        files = parse_qs(parts.query, max_num_fields=20).get("d", [])
    except ValueError:
        return address
    return files[0] if files and parts.path.startswith(LOCAL_FILES) else parts.path


def _frame(results: list[Any], place: str, name: str) -> ShapeFrame:
    width, height = (field(results[0], side, int, place) for side in ("original_width", "original_height"))
    check_frame_size(width, height, place)
    return ShapeFrame(place, name, width, height, [_shape(row, place, width, height) for row in results])


def _shape(row: Any, place: str, width: int, height: int) -> Shape:
    kind, value = field(row, "type", str, place), field(row, "value", dict, place)
    if kind not in ("brushlabels", "polygonlabels"):
        raise AnnotationError(f"{place}: it is a {kind[:40]}; only brushlabels and polygonlabels are read")
    labels = field(value, kind, list, place)
    label = labels[0] if labels and isinstance(labels[0], str) else ""
    meta = row.get("meta")
    number = meta.get("object_id") if isinstance(meta, dict) else None
    track = number if isinstance(number, int) and not isinstance(number, bool) else None
    if kind == "brushlabels":
        runs = value.get("rle")
        if not isinstance(runs, bytes | list):
            raise AnnotationError(f"{place}.rle: expected a list")
        return Shape(label, track, lambda: decode_bits(runs, width, height))
    points = field(value, "points", list, place)
    if not all(isinstance(p, list) and len(p) == 2 and all(is_coordinate(v) for v in p) for p in points):
        raise AnnotationError(f"{place}.points: expected pairs [x, y] in percent")
    flat = [share * side / 100 for point in points for share, side in zip(point, (width, height), strict=True)]
    return Shape(label, track, lambda: decode_segmentation([flat], height, width))


def encode_bits(inside: BinaryMask) -> list[int]:
    """Encode a mask, bool [H, W], as run lengths of a brush (see `decode_bits`): bytes as whole numbers."""
    values = inside.ravel()
    edges = np.flatnonzero(np.diff(values, prepend=not values[0]))
    longest = 1 << LENGTH_BITS[-1]
    bits = [f"{values.size * CHANNELS:032b}{8 - 1:05b}", *(f"{size - 1:04b}" for size in LENGTH_BITS)]
    for start, length in zip(edges.tolist(), np.diff(edges, append=values.size).tolist(), strict=True):
        value = f"{255 if values[start] else 0:08b}"
        left = length * CHANNELS
        while left:
            run = min(left, longest)
            choice = next(at for at, size in enumerate(LENGTH_BITS) if run <= 1 << size)
            bits.append(f"1{choice:02b}{run - 1:0{LENGTH_BITS[choice]}b}{value}")
            left -= run
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def decode_bits(data: bytes | list[Any], width: int, height: int) -> BinaryMask:
    """Decode the run lengths of a brush, bytes as whole numbers, to bool [height, width].

    The stream has 32 bits for the number of values, 5 for the bits of a value less one, and four times 4 for the
    possible bits of a length less one. Then come pieces: one bit that says whether a value is repeated, two that choose
    the bits of the length, the length less one, and one value or as many as the length says.

    Raises:
        MaskError: the stream is cut off, or is not for an image of this size.
    """
    if not all(isinstance(value, int) and 0 <= value <= 255 for value in data):
        raise MaskError("its rle is no list of bytes")
    bits = _Bits(bytes(data))
    count = bits.take(32)
    if count != width * height * CHANNELS:
        raise MaskError(f"its rle has {count} values, the image {width * height * CHANNELS}")
    value_bits = bits.take(5) + 1
    length_bits = [bits.take(4) + 1 for _ in range(4)]
    values = np.zeros(count, np.uint8)
    at = 0
    while at < count:
        repeated = bits.take(1)
        end = at + 1 + bits.take(length_bits[bits.take(2)])
        if end > count:
            raise MaskError("its rle is longer than the image")
        if repeated:
            values[at:end] = min(bits.take(value_bits), 255)
        else:
            values[at:end] = [min(bits.take(value_bits), 255) for _ in range(end - at)]
        at = end
    return np.asarray(values.reshape(height, width, CHANNELS)[..., CHANNELS - 1] > 0)


class _Bits:
    """Reads numbers from a stream of bits, the highest bit of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> int:
        first, end = self._at, self._at + size
        if end > 8 * len(self._data):
            raise MaskError("its rle is cut off")
        self._at = end
        part = int.from_bytes(self._data[first // 8 : (end + 7) // 8], "big")
        return part >> (-end % 8) & ((1 << size) - 1)
