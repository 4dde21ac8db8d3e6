"""Tests the annotation formats: masks are read back as they were written, and damaged files raise readable errors."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo, categories
from segmentation.formats.coco_instances import coco_pieces, read_coco, read_coco_videos
from segmentation.formats.coco_rle import decode_segmentation, encode_rle, object_runs
from segmentation.formats.cvat_video import cvat_pieces, read_cvat_xml
from segmentation.formats.json_file import AnnotationError, parse_json
from segmentation.formats.label_png import MaskError
from segmentation.formats.mots import decode_mots_png, encode_mots_png, mots_lines, read_mots_text
from segmentation.formats.youtube_vis import read_youtube_vis, youtube_vis_pieces
from segmentation.types import LabelMap

HEIGHT, WIDTH = 12, 17
OBJECTS = (AnnotatedObject(1, "Nemo", "fish"), AnnotatedObject(2, "Rock"), AnnotatedObject(254, "Dory", "fish"))


def label_maps() -> list[LabelMap | None]:
    """Return the masks of five frames: two with irregular shapes, one without one of the objects, one that is empty,
    and None for a frame without a mask.
    """
    rng = np.random.default_rng(0)
    ragged = [rng.choice(np.array([0, 1, 2, 254], np.uint8), (HEIGHT, WIDTH)) for _ in range(2)]
    away = np.where(ragged[0] == 1, 0, ragged[0]).astype(np.uint8)
    return [*ragged, away, np.zeros((HEIGHT, WIDTH), np.uint8), None]


def a_video() -> AnnotatedVideo:
    maps = label_maps()

    def masks() -> Iterator[LabelMap | None]:
        return iter(maps)

    return AnnotatedVideo("reef", WIDTH, HEIGHT, 25.0, tuple(f"{i:05}" for i in range(5)), OBJECTS, masks)


def as_shown(labels: LabelMap | None) -> LabelMap:
    return np.zeros((HEIGHT, WIDTH), np.uint8) if labels is None else labels


def assert_same(found: AnnotatedVideo, ids: dict[int, int] | None = None) -> None:
    """Check that a video has the masks of `a_video`. `ids` maps object ids of `a_video` to those in `found`."""
    table = np.arange(256, dtype=np.uint8)
    for before, after in (ids or {}).items():
        table[before] = after
    read = [as_shown(labels) for labels in found.masks()]
    assert len(read) == 5
    for labels, original in zip(read, label_maps(), strict=True):
        np.testing.assert_array_equal(labels, table[as_shown(original)])


# --- run lengths ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_run_lengths_are_those_of_pycocotools(height: int, width: int, random: Any) -> None:
    mask = np.array([[random.random() < 0.5 for _ in range(width)] for _ in range(height)])
    encoded = encode_rle(mask)
    theirs = {"size": encoded["size"], "counts": encoded["counts"].encode()}
    np.testing.assert_array_equal(coco.decode(theirs).astype(bool), mask)
    np.testing.assert_array_equal(decode_segmentation(encoded, height, width), mask)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(0, 1, 254), (1, 255), (7,), (0,)]), st.randoms())
def test_runs_of_objects_are_those_of_their_masks(height: int, width: int, ids: tuple[int, ...], random: Any) -> None:
    labels = np.array([[random.choice(ids) for _ in range(width)] for _ in range(height)], np.uint8)
    found = object_runs(labels)
    assert list(found) == [int(each) for each in np.unique(labels) if each]
    for number, runs in found.items():
        assert runs.rle == encode_rle(labels == number)
        theirs = {"size": [height, width], "counts": runs.rle["counts"].encode()}
        assert (runs.area, list(runs.box)) == (int(coco.area(theirs)), [int(side) for side in coco.toBbox(theirs)])


def test_run_lengths_as_numbers_are_read() -> None:
    wanted = np.zeros((3, 4), bool)
    wanted[1:, 0] = True
    np.testing.assert_array_equal(decode_segmentation({"size": [3, 4], "counts": [1, 2, 9]}, 3, 4), wanted)


def test_polygons_are_filled() -> None:
    mask = decode_segmentation([[2, 2, 8, 2, 8, 6, 2, 6]], 10, 12)
    assert mask[2:6, 2:8].all()
    assert not mask[7:].any()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {"size": [3, 5], "counts": [15]},
        {"size": [3, 4], "counts": [13]},
        {"size": [3, 4], "counts": [-1, 13]},
        {"size": [3, 4], "counts": [2**40]},
        {"size": [3, 4], "counts": [True] * 12},
        {"size": [3, 4], "counts": "~~~~~~~~"},
        {"size": [3, 4], "counts": "o" * 4000},
        {"size": [3, 4], "counts": None},
        {"counts": "0"},
        [[1, 1]],
        [[1, 1, 2, 2, 3]],
        [[1, 1, 2, 2, 3, "x"]],
        [[1, 1, 2, 2, 3, float("nan")]],
        ["x"],
    ],
)
def test_damaged_segmentations_are_refused(wrong: Any) -> None:
    with pytest.raises(MaskError):
        decode_segmentation(wrong, 3, 4)


@given(st.text(max_size=40))
def test_no_text_of_run_lengths_is_more_than_refused(text: str) -> None:
    with contextlib.suppress(MaskError):
        assert decode_segmentation({"size": [3, 4], "counts": text}, 3, 4).shape == (3, 4)


# --- round trips ------------------------------------------------------------------------------------------------------


def test_youtube_vis_is_read_as_it_was_written() -> None:
    data = parse_json(b"".join(youtube_vis_pieces([a_video(), a_video()])))
    assert [row["length"] for row in data["videos"]] == [5, 5]
    assert data["annotations"][0]["segmentations"][2:] == [None, None, None]
    videos = read_youtube_vis(data)
    assert len(videos) == 2
    for video in videos:
        assert (video.name, video.frames, video.width, video.height) == ("reef", a_video().frames, WIDTH, HEIGHT)
        assert [(each.id, each.name) for each in video.objects] == [(each.id, each.name) for each in OBJECTS]
        assert [each.label for each in video.objects] == ["fish", "object", "fish"]
        assert_same(video)


def test_annotations_of_coco_belong_to_the_images_of_their_video() -> None:
    videos = [dataclasses.replace(a_video(), name=name) for name in ("reef", "bay", "pier")]
    data = parse_json(b"".join(coco_pieces(videos)))
    assert [image["id"] for image in data["images"]] == list(range(1, 16))
    assert {annotation["image_id"] for annotation in data["annotations"]} <= set(range(1, 16))
    read = read_coco_videos(data)
    assert [video.name for video in read] == ["reef", "bay", "pier"]
    for video in read:
        assert_same(video)


def test_coco_is_read_as_it_was_written() -> None:
    maps = read_coco(parse_json(b"".join(coco_pieces([a_video()]))))
    for frame, labels in zip(a_video().frames, label_maps(), strict=True):
        np.testing.assert_array_equal(maps[f"reef/{frame}.jpg"], as_shown(labels))


def test_cvat_is_read_as_it_was_written() -> None:
    (video,) = read_cvat_xml(b"".join(cvat_pieces(a_video())))
    assert [(each.id, each.label) for each in video.objects] == [(1, "fish"), (2, "object"), (254, "fish")]
    assert_same(video)


def test_tracks_of_cvat_that_begin_with_0_become_objects_from_1_on() -> None:
    data = b"".join(cvat_pieces(a_video())).replace(b'id="1"', b'id="0"')
    (video,) = read_cvat_xml(data)
    assert [each.id for each in video.objects] == [1, 2, 3]
    assert_same(video, {254: 3})


def test_mots_is_read_as_it_was_written() -> None:
    video, numbers = a_video(), categories([a_video()])
    lines: list[str] = []
    for frame, labels in enumerate(label_maps()):
        if labels is not None:
            np.testing.assert_array_equal(decode_mots_png(encode_mots_png(labels, video, numbers)), labels)
            lines += mots_lines(frame, labels, video, numbers)
    read = read_mots_text(lines, "reef", {number: name for name, number in numbers.items()})
    assert read.frames == ("000000", "000001", "000002"), "a frame without an object has no line"
    for labels, found in zip(label_maps()[:3], read.masks(), strict=True):
        np.testing.assert_array_equal(found, as_shown(labels))
    assert [(each.id, each.label) for each in read.objects] == [(each.id, each.category) for each in OBJECTS]


def test_objects_of_two_classes_of_mots_with_the_same_number_stay_two_objects() -> None:
    two = np.zeros((3, 4), bool)
    two[0, 0] = True
    counts = [encode_rle(mask)["counts"] for mask in (two, two[::-1])]
    video = read_mots_text([f"0 1001 1 3 4 {counts[0]}", f"0 2001 2 3 4 {counts[1]}"])
    assert [(each.id, each.label) for each in video.objects] == [(1, "car"), (2, "pedestrian")]
    labels = next(video.masks())
    assert labels is not None
    assert (labels[0, 0], labels[2, 0]) == (1, 2)


# --- damaged files ----------------------------------------------------------------------------------------------------


def decode_all(data: dict[str, Any]) -> None:
    for video in read_youtube_vis(data):
        for _ in video.masks():
            pass


def change_at(data: Any, path: list[Any], value: Any) -> Any:
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return data


PATHS: list[list[Any]] = [
    ["videos"],
    ["videos", 0],
    ["videos", 0, "width"],
    ["videos", 0, "file_names"],
    ["videos", 0, "id"],
    ["categories"],
    ["annotations", 0],
    ["annotations", 0, "video_id"],
    ["annotations", 0, "category_id"],
    ["annotations", 0, "segmentations"],
    ["annotations", 0, "segmentations", 0],
    ["annotations", 0, "segmentations", 0, "counts"],
]
VALUES: list[Any] = [None, -1, 2**40, "x", [], [1], {}, {"a": 1}, True, 1.5, [[0, 0]]]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_damaged_file_of_youtube_vis_is_refused_with_a_sentence(path: list[Any]) -> None:
    whole = json.loads(b"".join(youtube_vis_pieces([a_video()])))
    refused = 0
    for value in VALUES:
        try:
            decode_all(change_at(whole, path, value))
        except AnnotationError:
            refused += 1
    assert refused >= len(VALUES) // 2


@pytest.mark.parametrize("read", [lambda data: read_coco(parse_json(data)), lambda data: read_cvat_xml(data)])
@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 100_000, b"<a>", b"\xff\xfe", b'{"images": 1}'])
def test_what_is_no_such_file_is_refused(read: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(AnnotationError):
        read(data)


def test_entities_of_xml_are_refused_before_they_grow() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;">]><annotations>&c;</annotations>'
    with pytest.raises(AnnotationError, match="entities"):
        read_cvat_xml(bomb)


@pytest.mark.parametrize(
    "change",
    [
        (b'width="', b'width="9'),
        (b'left="', b'left="-'),
        (b'rle="', b'rle="x'),
        (b'rle="', b'rle="1, '),
        (b"<size>5", b"<size>99999999999"),
        (b"<mask ", b"<box "),
    ],
)
def test_a_damaged_file_of_cvat_is_refused_with_a_sentence(change: tuple[bytes, bytes]) -> None:
    data = b"".join(cvat_pieces(a_video()))
    assert change[0] in data
    damaged = data.replace(*change)
    with pytest.raises(AnnotationError):
        [list(video.masks()) for video in read_cvat_xml(damaged)]


@pytest.mark.parametrize(
    "line",
    ["0 1001 1 3 4", "x 1001 1 3 4 0", "0 99999999999 1 3 4 <", "0 1001 1 3 4 ~~", "-1 1 1 3 4 <", "0 1 1 0 4 <"],
)
def test_a_damaged_line_of_mots_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(AnnotationError, match="line 2"):
        list(read_mots_text(["", line]).masks())


def test_a_picture_that_is_no_mask_of_mots_is_refused() -> None:
    with pytest.raises(MaskError):
        decode_mots_png(b"\x89PNG")


def test_the_masks_of_this_file_differ() -> None:
    maps: list[NDArray[np.uint8]] = [labels for labels in label_maps() if labels is not None]
    assert len({labels.tobytes() for labels in maps}) == len(maps)


def test_frames_of_cvat_that_were_not_written_have_no_mask() -> None:
    maps = label_maps()
    indexes = (1, 2, 4)
    video = dataclasses.replace(
        a_video(), frames=("1", "2", "4"), indexes=indexes, masks=lambda: (maps[index] for index in indexes)
    )
    (found,) = read_cvat_xml(b"".join(cvat_pieces(video)))
    assert [labels is None for labels in found.masks()] == [True, False, False, True, True]


def test_a_cvat_file_that_does_not_say_which_frames_have_a_mask_has_one_in_each() -> None:
    data = re.sub(rb"<frames_with_mask>[^<]*</frames_with_mask>", b"", b"".join(cvat_pieces(a_video())))
    (found,) = read_cvat_xml(data)
    assert [labels is not None for labels in found.masks()] == [True] * 5


@pytest.mark.parametrize("spans", [b"0-9", b"x", b"1", b"3-99999999"])
def test_wrong_spans_of_frames_of_cvat_are_refused(spans: bytes) -> None:
    data = re.sub(rb"<frames_with_mask>[^<]*<", b"<frames_with_mask>" + spans + b"<", b"".join(cvat_pieces(a_video())))
    with pytest.raises(AnnotationError, match="frames_with_mask: expected spans"):
        read_cvat_xml(data)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([2, 2, 2], [2, 1, 3]),
        ([2, None, 0], [2, 1, 3]),
        ([3, "x", 255], [3, 2, 1]),
        ([None, None, 1], [2, 3, 1]),
        ([True, 2, 3], [1, 2, 3]),
        ([254, 1, 2], [254, 1, 2]),
    ],
)
def test_objects_of_youtube_vis_have_different_ids_whatever_the_file_says(given: list[Any], ids: list[int]) -> None:
    data = json.loads(b"".join(youtube_vis_pieces([a_video()])))
    for track, value in zip(data["annotations"], given, strict=True):
        track["instance_id"] = value
    (video,) = read_youtube_vis(data)
    assert [each.id for each in video.objects] == ids


@pytest.mark.parametrize("fps", ["fast", [], True, -1, 10**400, None])
def test_a_frame_rate_of_youtube_vis_that_is_none_is_24(fps: object) -> None:
    data = json.loads(b"".join(youtube_vis_pieces([a_video()])))
    data["videos"][0]["fps"] = fps
    (video,) = read_youtube_vis(data)
    assert video.fps == (1 if fps is True else 24)
