"""Tests that the large text files of exports are not held in memory: they are written by frames or by videos."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segmentation.formats.annotated_video import AnnotatedVideo, categories
from segmentation.formats.coco_instances import coco_pieces
from segmentation.formats.cvat_images import cvat_images_xml
from segmentation.formats.datumaro import datumaro_items
from segmentation.formats.label_studio import label_studio_tasks
from segmentation.formats.youtube_vis import youtube_vis_pieces
from segmentation.types import LabelMap
from tests.segmentation.formats.test_annotation_formats import a_video
from webapp.annotation.export.pieces import json_rows, write_pieces

WRITERS: dict[str, Callable[[AnnotatedVideo], Iterator[Any]]] = {
    "label-studio": lambda video: label_studio_tasks([video]),
    "datumaro": lambda video: datumaro_items([video], list(categories([video]))),
    "cvat-images": lambda video: cvat_images_xml([video]),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS.keys())
def test_no_mask_is_read_before_the_frame_in_front_of_it_is_written(
    writer: Callable[[AnnotatedVideo], Iterator[Any]],
) -> None:
    read = 0

    def masks() -> Iterator[LabelMap | None]:
        nonlocal read
        for labels in a_video().masks():
            read += 1
            yield labels

    reads = []
    for _ in writer(dataclasses.replace(a_video(), masks=masks)):
        reads.append(read)
    assert [number for number in reads if 0 < number < 5] == [1, 2, 3, 4]


@pytest.mark.parametrize("writer", [coco_pieces, youtube_vis_pieces])
def test_no_video_is_read_before_the_one_in_front_of_it_is_written(
    writer: Callable[[list[AnnotatedVideo]], Iterator[bytes]],
) -> None:
    begun: list[int] = []

    def numbered(number: int) -> AnnotatedVideo:
        def masks() -> Iterator[LabelMap | None]:
            begun.append(number)
            yield from a_video().masks()

        return dataclasses.replace(a_video(), masks=masks)

    seen = {piece: len(begun) for piece in writer([numbered(number) for number in range(3)])}
    assert set(seen.values()) == {0, 1, 2, 3}
    assert len(json.loads(b"".join(seen))["videos" if writer is youtube_vis_pieces else "images"]) in (3, 15)


def test_a_large_file_takes_little_memory_and_is_read_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    rows = (f"{number} " * 20_000 for number in range(100))
    tracemalloc.start()
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            write_pieces(archive, "rows.json", json_rows('{"rows":[', rows, "]}"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("rows.json")
        assert entry.compress_type == zipfile.ZIP_DEFLATED
        assert peak < entry.file_size / 4
        assert json.loads(archive.read(entry))["rows"][99] == "99 " * 20_000


def test_a_list_without_rows_is_an_empty_list() -> None:
    assert json.loads(b"".join(json_rows("[", [], "]"))) == []
