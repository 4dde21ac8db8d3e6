import numpy as np
import pytest

from segmentation.evaluation.stroke import correcting_stroke, first_strokes, largest_part, middle_path
from segmentation.scribbles import rasterise
from segmentation.types import Scribble


def bar(height: int = 60, width: int = 100) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[20:30, 10:90] = True
    return mask


def test_a_stroke_runs_along_the_middle_of_a_bar() -> None:
    path = middle_path(bar()) * (99, 59)
    assert np.ptp(path[:, 0]) > 60, "from one end to the other"
    assert (np.abs(path[:, 1] - 24.5) <= 4).all(), "away from the border"


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (480, 854)])
def test_a_stroke_stays_inside_its_region(shape: tuple[int, int]) -> None:
    mask = np.ones(shape, bool)
    raster = rasterise([Scribble(1, middle_path(mask))], *shape)
    assert (raster == 1).any()
    assert middle_path(mask).min() >= 0
    assert middle_path(mask).max() <= 1


def test_a_bent_region_is_followed_round_its_corner() -> None:
    mask = np.zeros((80, 80), bool)
    mask[10:70, 10:20] = True
    mask[60:70, 10:70] = True
    raster = rasterise([Scribble(1, middle_path(mask))], 80, 80)
    assert (mask[raster == 1]).mean() > 0.95
    assert (raster[:40] == 1).any()
    assert (raster[:, 40:] == 1).any()


def test_it_refuses_an_empty_region() -> None:
    with pytest.raises(ValueError, match="empty"):
        middle_path(np.zeros((5, 5), bool))


def test_the_largest_part_is_one_component() -> None:
    mask = np.zeros((10, 20), bool)
    mask[1:3, 1:3] = mask[5:9, 10:18] = True
    assert largest_part(mask).sum() == 32


def test_a_correction_lies_in_the_largest_wrong_region_and_names_its_true_id() -> None:
    truth = np.zeros((60, 100), np.uint8)
    truth[bar()] = 2
    predicted = truth.copy()
    predicted[20:30, 60:90] = 0  # 300 pixels missed
    predicted[40:50, 10:20] = 1  # 100 pixels too many
    stroke = correcting_stroke(truth, predicted)
    assert stroke is not None
    assert stroke.object_id == 2
    assert (rasterise([stroke], 60, 100)[20:30, 60:90] == 2).any()
    predicted[20:30, 60:90] = 2
    stroke = correcting_stroke(truth, predicted)
    assert stroke is not None
    assert stroke.object_id == 0


def test_a_mask_without_errors_gets_no_scribble() -> None:
    truth = bar().astype(np.uint8)
    assert correcting_stroke(truth, truth.copy()) is None


def test_the_first_strokes_are_one_for_each_object_there_is() -> None:
    truth = np.zeros((60, 100), np.uint8)
    truth[5:15, 5:95] = 1
    truth[30:40, 5:95] = 3
    assert [s.object_id for s in first_strokes(truth, 3)] == [1, 3]
