import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmentation.scribbles import (
    NO_SCRIBBLE,
    ScribbleError,
    cues_of,
    dilate,
    from_davis,
    load_scribbles,
    rasterise,
    save_scribbles,
    stroke_pixels,
)
from segmentation.types import Interaction, Scribble
from tests.segmentation.shared_data import shared

# What scribbles2mask of davisinteractive 1.0.4 draws for these paths.
DRAWN = [
    (
        [[0.1, 0.2], [0.9, 0.4]],
        [
            "....................",
            ".####...............",
            ".....########.......",
            ".............#####..",
            *["...................."] * 6,
        ],
    ),
    (
        [[0.5, 0.9], [0.3, 0.1], [1, 1]],
        [
            ".........",
            "..#......",
            "..##.....",
            "..##.....",
            "...##....",
            "...##....",
            "...#.#...",
            "...#..#..",
            "....#.#..",
            "....#..#.",
            ".......#.",
            "........#",
        ],
    ),
]


@pytest.mark.parametrize(("path", "picture"), DRAWN)
def test_strokes_are_drawn_as_the_davis_package_draws_them(path: list[list[float]], picture: list[str]) -> None:
    raster = rasterise([Scribble(1, np.array(path))], len(picture), len(picture[0]))
    assert ["".join("#" if v == 1 else "." for v in row) for row in raster] == picture


def test_the_last_stroke_lies_on_top() -> None:
    line = np.array([[0.0, 0.5], [1.0, 0.5]])
    raster = rasterise([Scribble(2, line), Scribble(0, line[:1])], 5, 5)
    assert raster[2].tolist() == [0, 2, 2, 2, 2]
    assert (raster[[0, 1, 3, 4]] == NO_SCRIBBLE).all()


def test_a_stroke_of_one_point_is_one_pixel() -> None:
    assert stroke_pixels(np.array([[1.0, 1.0]]), 480, 854).tolist() == [[853, 479]]


def test_dilation_grows_by_a_cross_and_the_higher_id_wins() -> None:
    raster = rasterise([Scribble(1, np.array([[0.5, 0.5]])), Scribble(0, np.array([[0.75, 0.5]]))], 9, 9)
    thick = dilate(raster, iterations=1)
    assert thick[4].tolist() == [-1, -1, -1, 1, 1, 1, 0, 0, -1]
    assert thick[3].tolist() == [-1, -1, -1, -1, 1, -1, 0, -1, -1]


def test_scribbles_that_meet_are_the_objects_own_or_of_both_maps() -> None:
    raster = np.full((5, 9), NO_SCRIBBLE, np.int16)
    raster[2, 3], raster[2, 5] = 1, 0
    own, others = cues_of(raster, 1)
    assert (own[2, 3:6].all(), others[2, 3:6].any()) == (True, False)
    own, others = cues_of(raster, 1, both=True)
    assert own[2, 3:6].all()
    assert others[2, 3:6].all()
    assert own.sum() == others.sum() == 13  # a cross, twice


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    strokes = (Scribble(1, np.array([[0.1, 0.2], [0.3, 0.4]])), Scribble(0, np.array([[1.0, 0.0]])))
    save_scribbles(tmp_path / "s.json", [Interaction(4, strokes), Interaction(2, strokes[:1])], "reef", 6)
    loaded = load_scribbles(tmp_path / "s.json", 6)
    assert [i.frame for i in loaded] == [2, 4]
    assert [s.object_id for s in loaded[1].scribbles] == [1, 0]
    np.testing.assert_array_equal(loaded[1].scribbles[0].path, strokes[0].path)


def test_it_reads_a_file_of_the_robot() -> None:
    (interaction,) = load_scribbles(shared("data/davis/Scribbles/dog/001.json"), 60)
    assert {s.object_id for s in interaction.scribbles} == {1}


GOOD = {"path": [[0.5, 0.5]], "object_id": 1}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], 'a list "scribbles"'),
        ({}, 'a list "scribbles"'),
        ({"scribbles": {}}, 'a list "scribbles"'),
        ({"scribbles": [[]]}, "for 1 frames, the video has 2"),
        ({"scribbles": [[], None]}, r"scribbles\[1\]: expected a list"),
        ({"scribbles": [[], ["x"]]}, r"scribbles\[1\]\[0\]: expected an object"),
        ({"scribbles": [[], [GOOD, {"path": [[0, 0]]}]]}, r"scribbles\[1\]\[1\]\.object_id"),
        ({"scribbles": [[], [{**GOOD, "object_id": True}]]}, r"object_id.*True"),
        ({"scribbles": [[], [{**GOOD, "object_id": 255}]]}, r"object_id.*255"),
        ({"scribbles": [[], [{**GOOD, "object_id": -1}]]}, r"object_id.*-1"),
        ({"scribbles": [[], [{**GOOD, "path": []}]]}, r"path: expected at least one"),
        ({"scribbles": [[], [{**GOOD, "path": [[1, 2, 3]]}]]}, r"path: expected at least one"),
        ({"scribbles": [[], [{**GOOD, "path": [[0.1], [0.1, 0.2]]}]]}, r"path: expected at least one"),
        ({"scribbles": [[], [{**GOOD, "path": [["a", "b"]]}]]}, r"path: expected at least one"),
        ({"scribbles": [[], [{**GOOD, "path": [[0.5, 1.2]]}]]}, r"inside the frame"),
        ({"scribbles": [[], [{**GOOD, "path": [[float("nan"), 0.2]]}]]}, r"inside the frame"),
    ],
)
def test_it_names_what_is_wrong(data: Any, sentence: str) -> None:
    with pytest.raises(ScribbleError, match=sentence):
        from_davis(data, 2)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", json.dumps({"scribbles": 3}).encode()])
def test_it_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ScribbleError, match=r"^bad\.json: "):
        load_scribbles(tmp_path / "bad.json")
