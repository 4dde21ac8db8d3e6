from typing import Any

import numpy as np
import pytest

from segmentation.metrics import boundary_f, jaccard, score
from tests.segmentation.shared_data import shared


def scene(dy: int = 0, dx: int = 0) -> np.ndarray:
    """Return a mask of two ellipses and a block in a corner, changed by `dy` and `dx` pixels.

    The first ellipse moves by both and the second by `dx` alone. The height of the block grows by `dy`.
    """
    yy, xx = np.mgrid[0:120, 0:160]
    labels = np.zeros((120, 160), np.uint8)
    labels[((yy - 50 - dy) / 20) ** 2 + ((xx - 40 - dx) / 30) ** 2 <= 1] = 1
    labels[((yy - 70) / 25) ** 2 + ((xx - 100 - dx) / 20) ** 2 <= 1] = 2
    labels[0 : 12 + dy, 150:160] = 3
    return labels


# J and F of davisinteractive 1.0.4 for scene() against scene(dy, dx), objects 1..4 (the fourth is in neither).
OFFICIAL = [
    ((0, 0), [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]),
    ((3, 2), [0.8103946102021174, 0.8794454490657022, 0.8, 1.0], [0.4411764705882353, 1.0, 0.5957446808510639, 1.0]),
    (
        (9, -7),
        [0.5144927536231884, 0.6376050420168067, 0.5714285714285714, 1.0],
        [0.11764705882352941, 0.18478260869565213, 0.5283018867924528, 1.0],
    ),
    (
        (40, 30),
        [0.0, 0.0770293609671848, 0.23076923076923078, 1.0],
        [0.0, 0.06521739130434782, 0.3333333333333333, 1.0],
    ),
]


@pytest.mark.parametrize(("shift", "j", "f"), OFFICIAL)
def test_j_and_f_are_those_of_the_davis_package(shift: tuple[int, int], j: list[float], f: list[float]) -> None:
    np.testing.assert_allclose(jaccard(scene(), scene(*shift), 4), j, atol=1e-6)
    np.testing.assert_allclose(boundary_f(scene(), scene(*shift), 4), f, atol=1e-6)


@pytest.mark.parametrize("objects", [1, 3])
def test_j_and_f_are_the_golden_ones(objects: int) -> None:
    golden = np.load(shared("golden/davis_interactive/robot.npz"))
    result = score(golden[f"gt{objects}"], golden[f"pred{objects}"], objects)
    np.testing.assert_allclose(result.j, golden[f"J{objects}"], atol=1e-6)
    np.testing.assert_allclose(result.f, golden[f"F{objects}"], atol=1e-6)


def test_an_object_that_is_in_one_of_the_two_scores_nothing() -> None:
    empty, there = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    there[3:8, 3:8] = 1
    for truth, predicted in ((empty, there), (there, empty)):
        assert jaccard(truth, predicted, 1)[0] == 0
        assert boundary_f(truth, predicted, 1)[0] == 0


def test_the_band_grows_with_the_frame() -> None:
    small, moved = np.zeros((480, 854), np.uint8), np.zeros((480, 854), np.uint8)
    small[100:300, 200:500] = 1
    moved[100:300, 208:508] = 1  # moved by the tolerance: 0.008 of the diagonal of 980 pixels is 7.8, rounded up to 8
    assert boundary_f(small, moved, 1)[0] == 1
    moved[100:300, 208] = 0
    moved[100:300, 508] = 1
    assert boundary_f(small, moved, 1)[0] < 1


def test_a_score_is_the_mean_over_frames_and_objects() -> None:
    truth = np.stack([scene(), scene()])
    result = score(truth, np.stack([scene(), scene(9, -7)]), 2)
    assert result.j.shape == (2, 2)
    assert result.mean_j == pytest.approx((2 + 0.5144927536 + 0.6376050420) / 4)
    assert result.mean_j_and_f == pytest.approx((result.mean_j + result.mean_f) / 2)


def test_labels_above_the_number_of_objects_are_no_error() -> None:
    assert jaccard(scene(), scene(), 1).tolist() == [1.0]


def test_it_refuses_masks_of_another_size() -> None:
    with pytest.raises(ValueError, match="shape"):
        jaccard(scene(), scene()[:-1], 1)
    with pytest.raises(ValueError, match="shape"):
        score(scene()[None], scene()[None, :-1], 1)


def test_figures_do_not_depend_on_how_objects_are_numbered() -> None:
    truth, predicted = np.stack([scene(), scene()]), np.stack([scene(), scene(9, -7)])
    table = np.arange(256, dtype=np.uint8)
    table[1:5] = 3, 200, 17, 9
    plain = score(truth, predicted)
    holes = score(table[truth], table[predicted])
    assert plain.j.shape == holes.j.shape
    assert holes.mean_j_and_f == pytest.approx(plain.mean_j_and_f)
    assert score(table[truth], table[predicted], 200).mean_j_and_f > plain.mean_j_and_f, "absent ids count as perfect"


def test_a_truth_without_objects_cannot_be_scored() -> None:
    empty = np.full((1, 4, 4), 255, np.uint8)
    with pytest.raises(ValueError, match="truth: it shows no object"):
        score(empty, empty)


def test_ids_may_be_any_iterable() -> None:
    truth, predicted = scene()[None], scene(9, -7)[None]
    wanted = score(truth, predicted, [1, 2, 3])
    several: list[Any] = [np.unique(truth)[1:], {1, 2, 3}, range(1, 4), (number for number in (1, 2, 3)), np.int64(3)]
    for ids in several:
        found = score(truth, predicted, ids)
        np.testing.assert_array_equal(found.j, wanted.j)
        np.testing.assert_array_equal(found.f, wanted.f)
    assert score(truth, predicted, [3, 1]).j.tolist() == wanted.j[:, [2, 0]].tolist()


NO_IDS: list[Any] = [0, -1, 255, True, 1.0, "1", b"1", [], {}]
IDS_EXPECTED = r"^objects: expected a number in 1\.\.254, or ids of objects, got "


@pytest.mark.parametrize(
    ("truth", "predicted", "objects", "words"),
    [
        ([[1]], scene()[None], None, r"^truth: expected uint8 \[T, H, W\], got list"),
        (scene()[None], scene(), None, r"^predicted: expected uint8 \[T, H, W\], got uint8 \(120, 160\)"),
        (scene()[None].astype(float), scene()[None], None, r"^truth: expected uint8 \[T, H, W\], got float64"),
        *((scene()[None], scene()[None], wrong, IDS_EXPECTED) for wrong in NO_IDS),
        (scene()[None], scene()[None], ["a"], "^objects: expected a whole number, got 'a'"),
        (scene()[None], scene()[None], [True], "^objects: expected a whole number, got True"),
        *(
            (scene()[None], scene()[None], [wrong], "^objects: -?[0-9]+ is unknown, have 1..254")
            for wrong in (0, -1, 255)
        ),
    ],
)
def test_a_wrong_argument_is_named(truth: Any, predicted: Any, objects: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        score(truth, predicted, objects)
