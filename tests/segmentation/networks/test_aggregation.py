"""Tests that soft aggregation of objects' probabilities is equation 1 of the IPN paper."""

from __future__ import annotations

import torch

from segmentation.networks.aggregation import aggregate, aggregate_logits


def test_shares_are_the_odds_over_the_sum_of_the_odds() -> None:
    p = torch.tensor([0.7, 0.2, 0.4])
    joint = torch.cat([torch.prod(1 - p)[None], p])
    odds = joint / (1 - joint)
    torch.testing.assert_close(aggregate(p), odds / odds.sum())


def test_unused_channels_stay_at_the_smallest_logit() -> None:
    logits = aggregate_logits(torch.tensor([[0.3]]), channels=11)
    assert logits.shape == (11, 1)
    torch.testing.assert_close(logits[2:], torch.full((9, 1), -16.118), rtol=1e-3, atol=1e-2)


def test_certain_objects_stay_finite_and_more_than_ten_fit() -> None:
    p = torch.zeros(14, 5)
    p[13] = 1
    shares = aggregate(p, channels=11)
    assert shares.shape == (15, 5)
    assert torch.isfinite(shares).all()
    assert (shares.argmax(dim=0) == 14).all()
