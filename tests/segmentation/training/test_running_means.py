"""Tests the losses of masks and how they are averaged over a step."""

from __future__ import annotations

import pytest
import torch

from segmentation.training.losses import bootstrapped_cross_entropy, hard_pixels_cross_entropy
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.types import IGNORE


def test_pixels_that_are_not_sure_yet_are_all_looked_at() -> None:
    labels = torch.zeros(4, 5, dtype=torch.uint8)
    undecided = torch.zeros(2, 4, 5, requires_grad=True)
    hard_pixels_cross_entropy(undecided, labels, keep=0.1).backward()
    assert undecided.grad is not None
    assert (undecided.grad != 0).all()


def test_of_sure_pixels_the_worst_are_looked_at() -> None:
    labels = torch.zeros(4, 5, dtype=torch.uint8)
    logits = torch.zeros(2, 4, 5)
    logits[0] = torch.linspace(2, 6, 20).view(4, 5)
    for keep in (0.1, 0.5, 1.0):
        expected = bootstrapped_cross_entropy(logits, labels, keep)
        torch.testing.assert_close(hard_pixels_cross_entropy(logits, labels, keep), expected)


def test_a_running_mean_is_the_mean_of_what_was_added() -> None:
    right = torch.full((4, 4), 1, dtype=torch.uint8)
    right[0] = IGNORE
    good, bad = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)
    good[1], bad[0] = 9.0, 9.0
    means = RunningMeans(keep=1.0, overlap=1.0)
    means.add("first", [good], [right])
    low, _ = means.result()
    means.add("next", [bad], [right])
    high, figures = means.result()
    assert high > low + 3
    assert figures["j_first"] > 0.99 > 0.2 > figures["j_next"]
    means.add_side([bad], [right], weight=0.5)  # 12 of its 16 pixels count; it is one of two masks
    beside, unchanged = means.result()
    assert beside - high == pytest.approx(0.5 * 9 * 12 / 16 / 2, rel=0.01)
    assert unchanged == figures
