"""Tests that drawn frames are compared with each other before they enter the memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation import Scribble
from segmentation.engines.star.agreement import OTHERS, RememberedFrame, agreed_cells

SHARPNESS = torch.tensor(20.0)
CAR, CROWD, ROAD = torch.eye(3)
SIZE = (12, 20)


def seen() -> Tensor:
    """Return the embedding [3, h, w] of a frame with a car on a road, and a crowd behind it."""
    frame = ROAD[:, None, None].repeat(1, *SIZE)
    frame[:, 4:8, 5:12] = CAR[:, None, None]
    frame[:, 0:4, 5:12] = CROWD[:, None, None]
    return F.normalize(frame + 0.05 * torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(1)), dim=0)


def shares(top: int) -> Tensor:
    """Return a mask [1, h, w] of the car that begins in the row `top`."""
    mask = torch.zeros(1, *SIZE)
    mask[0, top:8, 5:12] = 1
    return mask


def line(object_id: int, row: float) -> Scribble:
    return Scribble(object_id, np.array([[6 / 19, row / 11], [10 / 19, row / 11]]))


def remembered(top: int, scribbles: list[Scribble] | None, known: float = 1.0) -> RememberedFrame:
    return RememberedFrame(seen(), shares(top), torch.tensor([known]), scribbles)


def mean_share(first: RememberedFrame, second: RememberedFrame, likeness: Tensor) -> float:
    """Return the object's mean share, in the memory, of those cells of the first frame that look like `likeness`."""
    rows = agreed_cells({3: first, 9: second}, SHARPNESS)[0]
    return float(rows.shares[rows.cells @ likeness > 0.9].mean())


def test_what_a_first_mask_takes_in_too_much_is_voted_out_by_a_corrected_frame() -> None:
    over, right = remembered(0, [line(1, 6)]), remembered(4, [line(1, 6), line(0, 2)])
    assert mean_share(over, right, CROWD) == pytest.approx(1 - OTHERS, abs=0.1)
    assert mean_share(over, right, CAR) > 0.95
    assert mean_share(right, over, CAR) > 0.95


def test_what_a_scribble_says_stays() -> None:
    over, right = remembered(0, [line(1, 6), line(1, 2)]), remembered(4, [line(1, 6)])
    rows = agreed_cells({0: over, 1: right}, SHARPNESS)[0]
    place = torch.zeros(SIZE, dtype=torch.bool)
    place[2, 6:11] = True
    plain = seen()[:, place].T
    held = torch.stack([rows.shares[(rows.cells - cell).abs().sum(1).argmin(), 0] for cell in plain])
    assert (held == 1).all()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((0, None), (4, [line(1, 6)], 1.0), id="an accepted mask"),
        pytest.param((0, [line(1, 6)]), (4, [line(1, 6)], 0.0), id="the other frame does not tell of the object"),
        pytest.param((0, [line(1, 6)]), (8, None, 1.0), id="the object is not in the other frame"),
    ],
)
def test_masks_that_nothing_contradicts_count_as_they_are(
    first: tuple[int, list[Scribble] | None], second: tuple[int, list[Scribble] | None, float]
) -> None:
    assert mean_share(remembered(*first), remembered(*second), CROWD) == 1


def test_of_objects_that_look_alike_each_cell_stays_with_its_own() -> None:
    mask = torch.zeros(2, *SIZE)
    mask[0, 0:8, 5:8] = mask[1, 0:8, 8:12] = 1  # two halves of the car, both with the crowd behind it
    right = mask.clone()
    right[:, :4] = 0
    frames = [RememberedFrame(seen(), each, torch.ones(2), [line(1, 6)]) for each in (mask, right)]
    rows = agreed_cells(dict(enumerate(frames)), SHARPNESS)[0]
    car, crowd = (rows.cells @ likeness > 0.9 for likeness in (CAR, CROWD))
    assert rows.shares[car].sum(1).min() > 0.95
    assert rows.shares[car].amax(1).min() > 0.95
    assert rows.shares[crowd].sum(1).mean() == pytest.approx(1 - OTHERS, abs=0.1)


def test_an_object_of_which_no_other_frame_tells_keeps_its_cells() -> None:
    mask = torch.zeros(2, *SIZE)
    mask[0, 4:8, 5:12] = mask[1, 0:4, 5:12] = 1
    first = RememberedFrame(seen(), mask, torch.ones(2), [line(1, 6), line(2, 2)])
    second = RememberedFrame(seen(), mask * torch.tensor([1.0, 0])[:, None, None], torch.tensor([1.0, 0]), [line(1, 6)])
    rows = agreed_cells({0: first, 1: second}, SHARPNESS)[0]
    crowd = rows.cells @ CROWD > 0.9
    assert (rows.shares[crowd, 1] == 1).all()
    assert (rows.shares[crowd, 0] == 0).all()


def test_a_single_frame_counts_as_it_is() -> None:
    (rows,) = agreed_cells({0: remembered(0, [line(1, 6)])}, SHARPNESS)
    assert set(rows.shares.unique().tolist()) == {0.0, 1.0}
