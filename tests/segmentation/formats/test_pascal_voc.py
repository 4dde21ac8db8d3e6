"""Tests that the classes of PASCAL VOC become the labels of objects, also if each frame numbers its objects anew."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.class_numbers import class_numbers
from segmentation.formats.json_file import AnnotationError
from segmentation.formats.label_png import encode_labels
from segmentation.formats.pascal_voc import labelmap_text, read_labelmap
from segmentation.types import IGNORE, LabelMap
from tests.segmentation.formats.test_annotation_files import Files
from tests.segmentation.formats.test_annotation_formats import a_video


def rows(*values: int) -> LabelMap:
    """Return a mask of three rows, each with these values."""
    return np.repeat(np.array([values], np.uint8), 3, axis=0)


def tree(folder: str, *masks: LabelMap) -> dict[str, bytes]:
    return {f"VOC2012/{folder}/reef_{at}.png": encode_labels(mask) for at, mask in enumerate(masks)}


def read(content: dict[str, bytes]) -> tuple[list[tuple[int, str]], list[list[int]]]:
    """Return the ids and labels of the objects, and the first row of each mask."""
    (video,) = read_annotations(Files(content)).videos
    masks = [labels[0].tolist() for labels in video.masks() if labels is not None]
    return [(each.id, each.label) for each in video.objects], masks


def test_numbers_that_have_one_class_in_all_frames_stay_the_ids() -> None:
    content = tree("SegmentationObject", rows(0, 1, 5, IGNORE), rows(5, 0, 0, 1))
    content |= tree("SegmentationClass", rows(0, 15, 7, IGNORE), rows(7, 0, 0, 15))
    assert read(content) == ([(1, "person"), (5, "car")], [[0, 1, 5, IGNORE], [5, 0, 0, 1]])


def test_numbers_of_each_image_by_itself_are_put_together_by_class_and_position() -> None:
    content = tree("SegmentationObject", rows(1, 2, 3, 0), rows(1, 2, 0, 0))
    content |= tree("SegmentationClass", rows(15, 7, 7, 0), rows(7, 15, 0, 0))
    objects, masks = read(content)
    assert objects == [(1, "person"), (2, "car"), (3, "car")]
    assert masks == [[1, 2, 3, 0], [2, 1, 0, 0]]


def test_masks_of_classes_for_some_frames_name_the_objects_of_all_frames() -> None:
    content = tree("SegmentationObject", rows(0, 1, 5, 0), rows(5, 1, 0, 0), rows(1, 0, 9, 0))
    content |= tree("SegmentationClass", rows(0, 15, 7, 0))
    assert read(content) == ([(1, "person"), (5, "car"), (9, "")], [[0, 1, 5, 0], [5, 1, 0, 0], [1, 0, 9, 0]])


def test_masks_of_classes_alone_have_an_object_for_each_class() -> None:
    names = b"# label:color_rgb:parts:actions\nbackground:0,0,0::\nreef:128,0,0::\n"
    content = {**tree("SegmentationClass", rows(0, 1, 2, IGNORE)), "VOC2012/labelmap.txt": names}
    assert read(content) == ([(1, "reef"), (2, "class 2")], [[0, 1, 2, IGNORE]])


def test_a_mask_of_classes_of_another_size_is_refused_by_name() -> None:
    content = tree("SegmentationObject", rows(1, 2)) | tree("SegmentationClass", rows(1))
    with pytest.raises(AnnotationError, match=r"SegmentationClass/reef_0\.png: its size differs"):
        read(content)


def test_labels_of_a_data_set_keep_its_numbers_and_others_get_free_ones() -> None:
    numbers = class_numbers([a_video()], {7: "Fish"}, first=21, most=254)
    assert numbers == {"fish": 7, "object": 21}
    assert read_labelmap(labelmap_text(numbers)) == {7: "fish", 21: "object"}
    with pytest.raises(AnnotationError, match=r"holds 1 labels of your own, and the objects have 2"):
        class_numbers([a_video()], {}, first=5, most=5)
