"""Tests the golden comparison of masks with a pixel whose id rounding decides.

Such a pixel must not change the arrays of later frames, so these are computed from the stored mask. They are computed
from our own mask if the stored one differs in more than a few pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.engines.ipn import golden as ipn
from segmentation.engines.ipn.network import Estimate, Inet
from segmentation.engines.manet import golden as manet
from segmentation.evaluation.golden.__main__ import program_of
from segmentation.evaluation.golden.case import AGREEMENT, Array, Case, Row, carried, compare
from segmentation.types import LabelMap
from tests.segmentation.engines.ipn.tiny import TINY
from tests.segmentation.evaluation.tiny_golden import shrink, tiny_case, with_golden

TIED = 32, 40  # (y, x) of a pixel whose id is sampled for a cell of MA-Net's feature map


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shrink(monkeypatch)
    with torch.inference_mode():
        yield


class TiedInet(Inet):
    """IPN's interaction network, changed so that the probability of one pixel is slightly above or below 0.5.

    Rounding on two machines may have this effect.
    """

    def __init__(self, tied: float) -> None:
        super().__init__(TINY)
        self.tied = tied

    def forward(self, frame: Tensor, mask: Tensor, positive: Tensor, negative: Tensor) -> Estimate:
        answer = super().forward(frame, mask, positive, negative)
        answer.probability[:, TIED[0], TIED[1]] = self.tied
        return answer


def rows_of(case: Case) -> dict[str, Row]:
    return {row.name: row for row in compare(case, program_of(case.system))}


def missed(rows: dict[str, Row]) -> list[str]:
    return [name for name, row in rows.items() if not row.ok]


def manet_case_with_a_tie(root: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Make a case whose golden arrays are as from a machine on which one pixel of every mask gets another id."""
    honest = manet.upsampled_argmax

    def other_machine(scores: Tensor, ids: range, size: tuple[int, int]) -> LabelMap:
        labels = honest(scores, ids, size)
        labels[TIED] = (labels[TIED] + 1) % len(ids)
        return labels

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(manet, "upsampled_argmax", other_machine)
        return with_golden(tiny_case(root, "manet"))


def test_manet_does_not_carry_a_tie_of_the_argmax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = manet_case_with_a_tie(tmp_path, monkeypatch)
    rows = rows_of(case)
    assert missed(rows) == []
    # our masks, not the stored ones, are compared
    assert all(0 < rows[f"loop.r{index}.masks"].error <= 1 - AGREEMENT for index in range(3))
    monkeypatch.setattr(manet, "carried", lambda ours, stored: ours)
    assert "loop.r0.f3.p_logits" in missed(rows_of(case))


def test_manet_goes_on_from_its_own_mask_where_the_stored_one_is_another(tmp_path: Path) -> None:
    case = with_golden(tiny_case(tmp_path, "manet"))
    arrays = dict(case.golden)
    masks = arrays["loop.r0.masks"].copy()
    masks[2, :8] = (masks[2, :8] + 1) % 3  # an eighth of the annotated frame is wrong, which rounding cannot cause
    rows = rows_of(with_golden(case, {**arrays, "loop.r0.masks": masks}))
    assert missed(rows) == ["loop.r0.masks"]


def test_manet_takes_golden_numbers_without_its_loop(tmp_path: Path) -> None:
    case = tiny_case(tmp_path, "manet")
    found = {name: array for name, array in program_of("manet")(case) if not name.startswith("loop.")}
    rows = rows_of(with_golden(case, found))
    assert rows.keys() == found.keys()
    assert missed(rows) == []


def test_ipn_does_not_carry_a_probability_of_a_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ipn, "Inet", lambda: TiedInet(0.5 + 1e-6))
        case = with_golden(tiny_case(tmp_path, "ipn", objects=1))
    monkeypatch.setattr(ipn, "Inet", lambda: TiedInet(0.5 - 1e-6))
    rows = rows_of(case)
    assert missed(rows) == []
    assert rows["loop.r0.masks"].error > 0
    monkeypatch.setattr(ipn, "carried", lambda ours, stored: ours)
    assert {"obj1.P0.p2", "loop.r0.all_E"} <= set(missed(rows_of(case)))


@pytest.mark.parametrize("stored", [None, np.zeros((9, 10)), np.eye(10)])
def test_only_a_mask_that_agrees_is_carried(stored: Array | None) -> None:
    ours = np.zeros((10, 10))
    assert carried(ours, stored) is ours


def test_a_mask_that_agrees_is_carried() -> None:
    ours = np.zeros((20, 20))
    stored = ours.copy()
    stored[3, 4] = 1
    assert carried(ours, stored) is stored
