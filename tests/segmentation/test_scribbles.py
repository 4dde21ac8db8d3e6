import numpy as np
import pytest

from segmentation.scribbles import (
    NO_SCRIBBLE,
    cues_of,
    dilate,
    rasterise,
    stroke_pixels,
)
from segmentation.types import Scribble

# Paths, and the pixels that the function scribbles2mask of davisinteractive 1.0.4 draws for them.
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


def test_a_scribble_of_one_point_is_one_pixel() -> None:
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
    assert own.sum() == others.sum() == 13  # the pixels of one dilated scribble
