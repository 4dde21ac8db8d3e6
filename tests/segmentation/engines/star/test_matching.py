"""Tests what STAR's decoder reads, for example of the memory, and how objects compete for pixels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.given import sample_cells
from segmentation.engines.star.matching import (
    CUES,
    Neighbour,
    carried,
    compare,
    gather_cues,
    read_memory,
    read_near,
    remembered,
    score,
)
from segmentation.engines.star.network import compete

SHARP = torch.tensor(20.0)


def unit(*shape: int, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_read_out_is_the_softmax_of_similarities() -> None:
    query, cells = unit(7, 5), unit(11, 5, seed=1)
    shares = torch.rand(11, 2, generator=torch.Generator().manual_seed(2))
    found = read_memory(query, remembered(cells, shares, torch.ones(11, 2)), SHARP)
    torch.testing.assert_close(found.read, torch.softmax(SHARP * query @ cells.T, 1) @ shares)


def test_a_memory_may_be_read_in_two_parts() -> None:
    query, cells = unit(300, 5), unit(11, 5, seed=1)
    shares, weights = torch.rand(11, 2), torch.ones(11, 2)
    first, second = (remembered(cells[part], shares[part], weights[part]) for part in (slice(4), slice(4, None)))
    whole = read_memory(query, remembered(cells, shares, weights), SHARP)
    for found, right in zip(read_memory(query, second, SHARP, compare(query, first, SHARP)), whole, strict=True):
        torch.testing.assert_close(found, right)


def test_the_last_cells_of_a_memory_keep_its_linear_models() -> None:
    cells, shares, weights = unit(11, 5), torch.rand(11, 2), torch.ones(11, 2)
    whole, query = remembered(cells, shares, weights), unit(7, 5, seed=1)
    last = whole.last_cells(4)
    for found, right in zip(
        compare(query, last, SHARP),
        compare(query, remembered(cells[7:], shares[7:], weights[7:]), SHARP),
        strict=True,
    ):
        torch.testing.assert_close(found, right, rtol=0, atol=0)
    torch.testing.assert_close(score(query, last), score(query, whole), rtol=0, atol=0)
    assert len(whole.last_cells(0).cells) == 0


def test_the_largest_similarities_tell_the_object_from_the_rest() -> None:
    cells = torch.eye(4)
    shares = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
    found = read_memory(torch.eye(4)[:2], remembered(cells, shares, torch.ones(4, 1)), SHARP)
    assert float(found.own[0]) > 0.99
    assert float(found.own[0] - found.rest[0]) > 0.5
    assert float(found.own[1] - found.rest[1]) < -0.5


def test_a_cell_that_says_nothing_of_an_object_is_not_asked_about_it() -> None:
    cells, shares = torch.eye(3), torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    weights = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    found = read_memory(torch.eye(3)[:1], remembered(cells, shares, weights), SHARP)
    assert float(found.read[0, 0]) > 0.99
    assert float(found.read[0, 1]) == torch.softmax(torch.zeros(2), 0)[1]


def test_the_target_model_separates_what_it_was_fitted_to_however_small_the_object_is() -> None:
    cells = torch.cat([unit(3, 8) * 0.1 + unit(1, 8, seed=5), unit(400, 8, seed=6)])
    cells = F.normalize(cells, dim=1)
    shares = torch.zeros(403, 1)
    shares[:3] = 1
    memory = remembered(cells, shares, torch.ones(403, 1))
    scores = score(cells, memory)
    assert float(scores[:3].min()) > 0.3
    assert float(scores[3:].mean()) < 0


def test_the_near_read_out_finds_what_moved_by_a_cell() -> None:
    before = unit(6, 8, 16).permute(2, 0, 1)
    shares = torch.zeros(1, 6, 8)
    shares[0, 2, 3] = 1
    moved = torch.roll(before, 1, dims=2)
    found = read_near(moved, before, shares, torch.tensor(100.0))
    assert int(found.read[:, 0].argmax()) == 2 * 8 + 4


def test_masks_are_carried_to_where_the_flow_says() -> None:
    mask = torch.zeros(1, 6, 9)
    mask[0, 2, 3] = 1
    back = torch.zeros(2, 6, 9)
    back[0], back[1] = -2, 1  # in the other frame, each cell's content is two columns to the left and one row lower
    torch.testing.assert_close(carried(mask, back), torch.roll(mask, (-1, 2), (1, 2)), atol=1e-5, rtol=0)


def cues_of(objects: int, earlier: Tensor | None = None) -> Tensor:
    embedding = unit(6, 8, 5).permute(2, 0, 1)
    memory = remembered(unit(20, 5, seed=3), torch.rand(20, objects), torch.ones(20, objects))
    masks = torch.rand(objects, 12, 16, generator=torch.Generator().manual_seed(1))
    neighbour = Neighbour(embedding, masks, torch.zeros(2, 12, 16), torch.ones(1, 12, 16))
    return gather_cues(embedding, memory, neighbour, earlier, (3.0, 1000.0), (SHARP, SHARP)).coarse


def test_all_cues_are_finite_and_about_as_large_as_one() -> None:
    for objects in (1, 3):
        for earlier in (None, torch.rand(objects, 12, 16)):
            cues = cues_of(objects, earlier)
            assert cues.shape == (objects, CUES, 6, 8)
            assert torch.isfinite(cues).all()
            assert float(cues.abs().max()) < 10


def test_an_object_is_shown_the_strongest_of_the_others() -> None:
    cues = cues_of(2)
    torch.testing.assert_close(cues[0, -4], cues[1, 0])
    torch.testing.assert_close(cues[1, -1], cues[0, 7])


def test_objects_compete_for_every_pixel() -> None:
    logits = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    shares = compete(logits)
    torch.testing.assert_close(shares.sum(0), torch.ones(4, 5))
    p = torch.sigmoid(logits)
    absent = (1 - p).prod(0)
    odds = torch.cat([(absent / (1 - absent))[None], p / (1 - p)])
    torch.testing.assert_close(shares, odds / odds.sum(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(compete(torch.zeros(1, 1, 1))[1], torch.full((1, 1), 0.5))
    assert torch.isfinite(compete(torch.full((2, 1, 1), -80.0))).all()
    assert torch.isfinite(compete(torch.full((2, 1, 1), 80.0))).all()
    assert math.isclose(float(compete(torch.full((1, 1, 1), 80.0))[1]), 1.0, abs_tol=1e-4)


def test_few_cells_stand_for_the_background_with_as_much_weight() -> None:
    embedding = unit(30, 40, 4).permute(2, 0, 1)
    shares = torch.zeros(1, 30, 40)
    shares[0, 10:12, 10:12] = 1
    rows = sample_cells(embedding, shares, torch.ones(1))
    assert len(rows.cells) < 0.35 * 1200
    assert float(rows.shares.sum()) == 4
    assert 1000 < float(rows.weights.sum()) < 1400
