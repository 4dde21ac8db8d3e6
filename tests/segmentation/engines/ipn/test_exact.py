"""Tests that IPN at the paper's size computes the masks of the official code in a first round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.evaluation.golden.case import Case
from segmentation.session.probability_maps import decode
from tests.segmentation.engines.golden_session import GOLDEN, bars, golden_session

pytestmark = pytest.mark.slow


def test_the_first_round_is_the_official_one(tmp_path: Path) -> None:
    """At least 99.5 % of a mask's pixels are equal. Later rounds of the official code lack the paper's averaging."""
    case = Case(GOLDEN / "ipn", "a")
    networks = {"ipn-inet": (Inet(), 0.7, 0), "ipn-pnet": (Pnet(), 0.7, 1)}
    session = golden_session("ipn", case, tmp_path, networks)
    updates = list(session.run_round(bars(case, 2)))
    shape = case.labels.shape
    golden = np.unpackbits(case.golden["loop.r0.masks"], count=case.labels.size).reshape(shape)
    for update in updates:
        assert (update.labels == golden[update.frame]).mean() >= 0.995
        assert update.engine_state is not None
        soft = decode(update.engine_state, *shape[1:])[0, ::2, ::2]
        np.testing.assert_allclose(soft, case.golden["loop.r0.all_E"][update.frame], atol=0.02)
    assert len(updates) == len(golden)
