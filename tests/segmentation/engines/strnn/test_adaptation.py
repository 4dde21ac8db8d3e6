"""Tests the linear model that ST-RNN fits to samples of scribbled cells (equation 3 of its paper)."""

from __future__ import annotations

import pytest
import torch

from segmentation.engines.strnn.adaptation import Samples, penalty_of, scores, solve, with_bias


def random_samples(count: int, ids: int, seed: int = 0, depth: int = 6) -> Samples:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, ids, (count,), generator=generator)
    centres = torch.randn(ids, depth, generator=generator)
    return Samples(centres[labels] + 0.3 * torch.randn(count, depth, generator=generator), labels)


@pytest.mark.parametrize("ridge", [1e-4, 1e-2, 1.0])
def test_the_gradient_of_equation_3_vanishes_at_the_solution(ridge: float) -> None:
    samples = random_samples(200, 3)
    weights = solve(samples, [0, 1, 2], ridge).double().requires_grad_(True)
    x = with_bias(samples.features.double())
    y = torch.nn.functional.one_hot(samples.ids, 3).double()
    penalty = penalty_of(x.t() @ x, ridge)
    positive = samples.ids > 0
    # the losses L+ and L- of the paper
    loss = sum((x[part] @ weights - y[part]).square().sum() for part in (positive, ~positive))
    (loss + penalty * weights.square().sum()).backward()
    assert weights.grad is not None
    assert weights.grad.abs().max() < 1e-4 * (x.t() @ y).abs().max()


def test_any_other_weights_have_a_larger_loss() -> None:
    samples = random_samples(50, 2)
    x = with_bias(samples.features.double())
    y = torch.nn.functional.one_hot(samples.ids, 2).double()
    penalty = penalty_of(x.t() @ x, 1e-2)

    def cost(weights: torch.Tensor) -> float:
        return float((x @ weights - y).square().sum() + penalty * weights.square().sum())

    best = solve(samples, [0, 1], 1e-2).double()
    for seed in range(5):
        step = 1e-2 * torch.randn(best.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert cost(best + step) > cost(best)


def test_more_samples_than_features_or_fewer_both_solve() -> None:
    for count in (1, 3, 500):
        weights = solve(random_samples(count, 2), [0, 1])
        assert weights.shape == (7, 2)
        assert torch.isfinite(weights).all()


def test_separable_samples_are_classified() -> None:
    samples = random_samples(300, 4)
    weights = solve(samples, [0, 1, 2, 3])
    found = scores(weights, samples.features.t()[:, :, None])[:, :, 0].argmax(0)
    assert (found == samples.ids).float().mean() > 0.95


def test_the_solution_does_not_depend_on_the_scale_of_features() -> None:
    samples = random_samples(100, 2)
    x = samples.features - samples.features.mean(0)
    small = scores(solve(Samples(x, samples.ids), [0, 1], 1e-6), x.t()[:, :, None])
    large = scores(solve(Samples(100 * x, samples.ids), [0, 1], 1e-6), 100 * x.t()[:, :, None])
    torch.testing.assert_close(small, large, rtol=0, atol=1e-2)


def test_it_refuses_to_adapt_to_nothing() -> None:
    with pytest.raises(ValueError, match="samples"):
        solve(Samples(torch.empty(0, 4), torch.empty(0, dtype=torch.int64)), [0, 1])
