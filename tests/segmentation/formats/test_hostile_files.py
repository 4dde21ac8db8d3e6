"""Tests that harmful and broken files are refused with a message that names the file and the place in it."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest

from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.json_file import AnnotationError
from segmentation.types import LabelMap
from tests.segmentation.formats.test_annotation_files import EVERY, Files, npy

HUGE = 1 << 31


def changed(name: str, *path: Any, to: Any) -> dict[str, bytes]:
    """Return the file of a format in JSON, with one value replaced."""
    ((file, data),) = EVERY[name]().items()
    whole = json.loads(data)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return {file: json.dumps(whole).encode()}


def swapped(name: str, before: bytes, after: bytes) -> dict[str, bytes]:
    """Return the files of a format, with some bytes replaced where they occur first in each."""
    content = {file: data.replace(before, after, 1) for file, data in EVERY[name]().items()}
    assert content != EVERY[name]()
    return content


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of some bytes that claims to have this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


ANNOTATION, RESULT = ("annotations", 0), (0, "annotations", 0, "result", 0)


def coco(to: Any, *path: str) -> dict[str, bytes]:
    return changed("coco", *ANNOTATION, "segmentation", *path, to=to)


def brush(to: list[int]) -> dict[str, bytes]:
    return changed("label-studio", *RESULT, "value", "rle", to=to)


PICKLED = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': 0, 'shape': (2, 2)}"
BOMB = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]><annotations>&c;</annotations>'
HOSTILE: dict[str, tuple[dict[str, bytes], str]] = {
    "huge frame": (changed("coco", "images", 0, "width", to=HUGE), r"images\[0\]: 2147483648 x 12 is no size"),
    "frame of none": (changed("youtube-vis", "videos", 0, "height", to=0), r"videos\[0\]: 17 x 0 is no size"),
    "frame below none": (changed("datumaro", "items", 0, "image", "size", to=[-1, 17]), r"items\[0\]: 17 x -1"),
    "huge PNG": ({"instances/a/1.png": png_header(1 << 20, 1 << 20)}, r"instances/a/1\.png"),
    "huge mask": ({"Annotations/a/0.png": png_header(1 << 20, 1 << 20)}, r"Annotations/a/0\.png"),
    "array of raw bytes": ({"a/0.npy": npy(np.zeros((1, 1), "V9"))}, r"a/0\.npy: expected whole numbers"),
    "array of a text": ({"a/0.npy": npy(np.array("x"))}, r"a/0\.npy: expected whole numbers .*, got a text$"),
    "array of one number": ({"a/0.npy": npy(np.array(3.5))}, r"a/0\.npy: .*, got a single value of float64$"),
    "objects of Python": ({"a/0.npy": PICKLED}, "a/0"),
    "other size": (
        coco([12, 18], "size"), r"annotations\[0\].*: its size is \[12, 18\]"
    ),
    "runs that overflow": (coco([0, HUGE], "counts"), r"instances\.json: annotations\[0\]\.segmentation: its"),
    "text of runs that overflows": (coco("o" * 999, "counts"), "its counts are damaged"),
    "runs of another frame": (coco([4, 201], "counts"), "for 205 pixels, the"),
    "polygon of one point": (coco([[1, 1]]), r"polygon 0: expected at least three"),
    "polygon far away": (coco([[0, 0, 1e300, 0, 1, 1]]), "a coordinate is no"),
    "percent beyond floats": (
        changed("label-studio", *RESULT, to={
            "type": "polygonlabels", "original_width": 17, "original_height": 12,
            "value": {"points": [[0, 0], [10**400, 1], [1, 1]], "polygonlabels": ["a"]},
        }),
        r"task 0\.points: expected pairs",
    ),
    "bits that end": (brush([0, 0, 3, 48]), "task 0: its rle is cut off"),
    "bits of another frame": (brush([255] * 9), "its rle has 4294967295 values"),
    "bytes that are none": (brush([HUGE]), "no list of bytes"),
    "too many objects": (changed("coco", "annotations", to=[
        {"image_id": 1, "category_id": 1, "track_id": track, "segmentation": []} for track in range(300)
    ]), "has 300 objects; a video has 254"),
    "frames beyond": (swapped("cvat", b"<size>5", b"<size>2147483648"), "expected a whole number|frames are more"),
    "mask outside": (swapped("cvat", b'left="0"', b'left="999999999"'), "does not lie inside the frame"),
    "negative runs": (swapped("cvat", b'rle="', b'rle="-'), r"track 1, frame 0: rle is not for"),
    "entities": ({"a.xml": BOMB}, r"a\.xml: it declares entities"),
    "deep XML": ({"a.xml": b"<annotations>" + b"<a>" * 50_000}, r"a\.xml: it is not XML"),
    "deep JSON": ({"a.json": b'{"images":' * 50_000}, r"a\.json: it is not JSON"),
    "number without end": ({"a.json": b'{"images": ' + b"9" * 5000 + b"}"}, r"a\.json: it is not JSON"),
    "huge id of MOTS": ({"reef.txt": b"0 4294967296 1 3 4 <"}, r"reef\.txt: line 1"),
    "huge frame of MOTS": ({"reef.txt": b"99999999 1001 1 3 4 <"}, r"reef\.txt: line 1"),
    "archive inside": ({"deep/inner.ZIP": b"PK\x03\x04"}, r"deep/inner\.ZIP is an archive inside"),
    "huge id in a table": (
        {**EVERY["davis"](), "objects.json": b'{"objects": [{"id": 2147483648}]}'}, r"objects\.json: objects\[0\]\.id"
    ),
    "absent span of a number": (
        {**EVERY["davis"](), "objects.json": b'{"objects": [{"id": 1, "name": "a", "absent": 5}]}'},
        r"objects\.json: objects\[0\]\.absent: expected a list",
    ),
    "too many absent spans": (
        {
            **EVERY["davis"](),
            "objects.json": json.dumps({"objects": [{"id": 1, "name": "a", "absent": [[0, 0]] * 100_001}]}).encode(),
        },
        r"objects\.json: objects\[0\]\.absent: 100001 spans, at most 100000 are read",
    ),
    "truncated mask": (swapped("davis", b"IDAT", b"IDAX"), r"Annotations/480p/reef/00000\.png"),
}  # fmt: skip


def read_all(content: dict[str, bytes]) -> list[LabelMap | None]:
    return [labels for video in read_annotations(Files(content)).videos for labels in video.masks()]


@pytest.mark.parametrize(("content", "text"), HOSTILE.values(), ids=HOSTILE)
def test_harm_is_refused_with_the_file_and_the_place(content: dict[str, bytes], text: str) -> None:
    with pytest.raises(AnnotationError, match=text) as refused:
        read_all(content)
    assert len(str(refused.value)) < 400


def test_ids_of_any_size_become_ids_that_a_mask_can_hold() -> None:
    content = changed("coco", *ANNOTATION, "track_id", to=1 << 70)
    (video,) = read_annotations(Files(content)).videos
    assert {each.id for each in video.objects} <= set(range(1, 5))
    assert all(labels is None or labels.max() <= 4 for labels in video.masks())


def test_every_format_refuses_a_file_that_is_cut_anywhere_or_reads_it() -> None:
    for name, make in EVERY.items():
        content = make()
        file = max(content, key=lambda key: len(content[key]))
        data = content[file]
        for part in range(1, 8):
            short = {**content, file: data[: len(data) * part // 8]}
            with contextlib.suppress(AnnotationError):
                assert read_all(short), name


def test_the_header_of_an_array_is_not_believed() -> None:
    buffer = io.BytesIO()
    head = {"descr": "<u8", "fortran_order": False, "shape": (1 << 13, 1 << 13)}
    np.lib.format.write_array_header_1_0(buffer, head)
    with pytest.raises(AnnotationError, match=r"reef/0\.npy: it is cut off"):
        read_annotations(Files({"reef/0.npy": buffer.getvalue()}))
