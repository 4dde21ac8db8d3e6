"""Tests that plain folders of mask files are read as the videos that their folders name."""

from __future__ import annotations

import json

import pytest

from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.json_file import AnnotationError
from segmentation.formats.label_png import encode_labels
from tests.segmentation.formats.test_annotation_files import Files, masks


def test_two_plain_folders_of_masks_of_one_name_are_two_videos_with_their_own_objects() -> None:
    folders = ("bus", "train/480p/car", "val/car")
    content = {f"{folder}/{index}.png": encode_labels(masks()[index]) for folder in folders for index in (0, 1)}
    tables = {place: {"objects": [{"id": 1, "name": place}]} for place in ("train/car", "val/car")}
    content |= {f"{place}/objects.json": json.dumps(data).encode() for place, data in tables.items()}
    videos = read_annotations(Files(content)).videos
    assert [video.name for video in videos] == ["bus", "train/car", "val/car"]
    assert [[each.name for each in video.objects] for video in videos] == [[], ["train/car"], ["val/car"]]
    for video in videos:
        second = list(video.masks())[1]
        assert second is not None
        assert (second == masks()[1]).all()


def test_plain_folders_of_masks_that_differ_in_their_resolution_only_are_refused() -> None:
    content = {f"{size}/car/0.png": encode_labels(masks()[0]) for size in ("480p", "1080p")}
    with pytest.raises(AnnotationError, match="480p/car and 1080p/car have masks of sequences of the same name"):
        read_annotations(Files(content))
