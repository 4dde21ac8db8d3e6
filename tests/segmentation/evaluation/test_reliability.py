import numpy as np
import pytest

from segmentation.evaluation.reliability import draw, measure


def test_a_true_confidence_has_no_calibration_error() -> None:
    j = np.random.default_rng(0).random(1000).astype(np.float32)
    figures = measure(j, j)
    assert figures["ece"] == pytest.approx(0, abs=1e-6)
    assert figures["correlation"] == pytest.approx(1)
    assert sum(count for _, _, count in figures["bins"]) == 1000


def test_a_confidence_that_is_a_fifth_too_high_is_off_by_a_fifth() -> None:
    j = np.linspace(0, 0.8, 500, dtype=np.float32)
    assert measure(j + 0.2, j)["ece"] == pytest.approx(0.2, abs=1e-3)


def test_one_mask_is_measured_and_drawn() -> None:
    figures = measure(np.array([0.7], np.float32), np.array([0.5], np.float32))
    assert figures["bins"] == [(pytest.approx(0.7), pytest.approx(0.5), 1)]
    assert "<svg" in draw({"confidence": figures})
    assert draw({"confidence": figures}) == draw({"confidence": figures})
