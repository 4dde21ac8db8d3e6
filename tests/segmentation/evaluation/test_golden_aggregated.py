"""Tests that the golden comparison accepts differences of a logit, or of its softmax, that rounding the probability to
float32 can cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.engines.stm import golden as stm
from segmentation.engines.stm import golden_interactive as stm_interactive
from segmentation.evaluation.golden import aggregated
from segmentation.evaluation.golden.__main__ import program_of
from segmentation.evaluation.golden.aggregated import Bounds, logit_bounds, softmax_bounds
from segmentation.evaluation.golden.case import Array, Case, compare, full
from segmentation.networks.aggregation import aggregate_logits
from tests.segmentation.evaluation.tiny_golden import shrink, tiny_case, with_golden

NEAR_ONE = 1 - 2.4e-6  # as float32, its logit is 12.95; that of the next smaller float32 is 12.92


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def step_down(probabilities: Tensor) -> Tensor:
    """Return the next smaller float32 of each probability."""
    return torch.nextafter(probabilities, torch.zeros(()))


def verdicts(root: Path, stored: dict[str, Array], tensor: Tensor, bounds: Bounds | None) -> dict[str, bool]:
    """Compare `tensor` with each of the golden arrays `stored`. Return, by name, whether it is within tolerance."""
    case = with_golden(tiny_case(root, "stm"), stored)

    def program(_: Case) -> Iterator[tuple[str, Array]]:
        for name in stored:
            if not name.endswith(".stats"):
                yield from full(name, tensor, bounds=bounds)

    return {row.name: row.ok for row in compare(case, program)}


def stored_as(name: str, tensor: Tensor) -> dict[str, Array]:
    return dict(full(name, tensor))


def test_a_step_of_the_probability_is_no_miss_where_the_logit_is_large(tmp_path: Path) -> None:
    probabilities = torch.tensor([[NEAR_ONE, 0.3, 0.999]])
    ours, golden = aggregate_logits(probabilities), aggregate_logits(step_down(probabilities))
    assert float((ours - golden).abs().max()) > 0.02
    stored = stored_as("anything", golden)
    assert all(verdicts(tmp_path / "bounds", stored, ours, logit_bounds(ours)).values())
    assert verdicts(tmp_path / "none", stored, ours, None) == {"anything": False, "anything.stats": False}


@pytest.mark.parametrize(("ours", "golden"), [(12.9, 13.9), (12.9, 12.2), (5.0, 5.02), (-5.0, -5.02), (7.9, 7.95)])
def test_a_logit_that_stands_for_another_probability_is_a_miss(tmp_path: Path, ours: float, golden: float) -> None:
    found, other = torch.tensor([[ours, 0.0]]), torch.tensor([[golden, 0.0]])
    assert verdicts(tmp_path, stored_as("x", other), found, logit_bounds(found))["x"] is False


def test_only_arrays_that_are_such_logits_have_bounds(tmp_path: Path) -> None:
    found, other = torch.tensor([[12.947, 1.0]]), torch.tensor([[12.972, 1.0]])
    stored = {**stored_as("Q2.r4", other), **stored_as("some.logit", other)}
    assert set(verdicts(tmp_path, stored, found, None).values()) == {False}


def test_a_step_is_no_miss_where_two_objects_claim_a_pixel(tmp_path: Path) -> None:
    probabilities = torch.tensor([[NEAR_ONE, 0.3], [NEAR_ONE, 0.2]])
    moved = torch.stack([step_down(probabilities[0]), probabilities[1]])
    ours, golden = aggregate_logits(probabilities), aggregate_logits(moved)
    stored = stored_as("x", torch.softmax(golden, dim=0))
    found = torch.softmax(ours, dim=0)
    assert all(verdicts(tmp_path / "bounds", stored, found, softmax_bounds(ours)).values())
    assert not verdicts(tmp_path / "none", stored, found, None)["x"]
    wrong = stored_as("x", torch.softmax(aggregate_logits(torch.tensor([[0.9999, 0.3], [NEAR_ONE, 0.2]])), dim=0))
    assert not verdicts(tmp_path / "wrong", wrong, found, softmax_bounds(ours))["x"]


@pytest.mark.parametrize(("system", "module"), [("stm", stm), ("stm_interactive", stm_interactive)])
def test_a_processor_that_rounds_the_other_way_gives_no_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, module: object
) -> None:
    shrink(monkeypatch)

    def sharp(probabilities: Tensor) -> Tensor:
        """Make probabilities similar to those of a trained network: many lie within 1e-5 of 0 or 1."""
        return torch.sigmoid(20 * torch.logit(probabilities, eps=1e-6)).clamp(4e-6, 1 - 4e-6)

    with monkeypatch.context() as here:
        here.setattr(module, "aggregate_logits", lambda p, *channels: aggregate_logits(sharp(p), *channels))
        case = with_golden(tiny_case(tmp_path, system))
    monkeypatch.setattr(
        module, "aggregate_logits", lambda p, *channels: aggregate_logits(step_down(sharp(p)), *channels)
    )
    rows = {row.name: row for row in compare(case, program_of(system))}
    assert [name for name, row in rows.items() if not row.ok] == []
    monkeypatch.setattr(aggregated, "STEEP", np.inf)
    without = {row.name for row in compare(case, program_of(system)) if not row.ok}
    assert {"stm": "Q2.logit", "stm_interactive": "merged.softmax"}[system] in without


def test_the_array_that_missed_on_another_processor_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
    found = dict(program_of("stm")(tiny_case(tmp_path, "stm")))
    assert {name for name, array in found.items() if hasattr(array, "low")} >= {
        "Q2.logit",
        "Q2.logit.stats",
        "Q2.softmax",
        "loop.every5.Es",
    }


def test_bounds_are_tight_where_a_logit_is_small() -> None:
    logits = torch.tensor([[-7.9, 0.0, 7.9]])
    for bound in logit_bounds(logits):
        np.testing.assert_allclose(bound, logits.numpy(), rtol=0, atol=1e-6)
