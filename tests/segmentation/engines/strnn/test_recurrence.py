"""Tests ST-RNN's recurrence, computed by anti-diagonals, against equation 2 of its paper, computed cell by cell."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmentation.engines.strnn.recurrence import SpatioTemporalRNN, skew, unskew

DIRECTIONS = ((1, 1), (1, -1), (-1, 1), (-1, -1))  # southeast, southwest, northeast, northwest, as steps (down, right)

State = list[dict[tuple[int, int], Tensor]]


def equation_2(rnn: SpatioTemporalRNN, x: Tensor, before: State | None) -> tuple[Tensor, State]:
    """Apply equation 2 to the input x of one frame, [inputs, h, w], cell by cell in float64.

    `before` is the state of the frame before. Returns y, [outputs, h, w], and the new state: the hidden states of each
    of the four directions.
    """
    _, height, width = x.shape
    y = rnn.c[:, None, None].expand(-1, height, width).clone()
    states: State = []
    for d, (down, right) in enumerate(DIRECTIONS):
        hidden: dict[tuple[int, int], Tensor] = {}
        for i in range(height)[::down]:
            for j in range(width)[::right]:
                total = rnn.U[d] @ x[:, i, j] + rnn.b[d]
                if before is not None:
                    total = total + rnn.Kt @ before[d][i, j]
                for predecessor in ((i - down, j), (i, j - right), (i - down, j - right)):
                    if predecessor in hidden:
                        total = total + rnn.Ks[d] @ hidden[predecessor]
                hidden[i, j] = torch.tanh(total)
                y[:, i, j] += rnn.V[d] @ hidden[i, j]
        states.append(hidden)
    return y, states


def random_rnn() -> SpatioTemporalRNN:
    torch.manual_seed(11)
    rnn = SpatioTemporalRNN(5, 4, 3).double()
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.normal_(0, 0.5)
    return rnn.requires_grad_(False)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (7, 3), (1, 5), (5, 1), (1, 1)])
def test_three_frames_are_equation_2(height: int, width: int) -> None:
    rnn, state, before = random_rnn(), None, None
    for _ in range(3):
        x = torch.randn(5, height, width, dtype=torch.float64)
        y, state = rnn(x, state)
        expected, before = equation_2(rnn, x, before)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


def test_without_a_frame_before_it_is_equation_1() -> None:
    """In the first frame of a chain, the term of the paper's equation 2 with the temporal matrix K is zero."""
    rnn = random_rnn()
    x = torch.randn(5, 3, 4, dtype=torch.float64)
    y, _ = rnn(x)
    rnn.Kt.zero_()
    torch.testing.assert_close(rnn(x)[0], y, rtol=0, atol=0)


def test_every_vertex_sees_every_other() -> None:
    rnn = random_rnn()
    x = torch.randn(5, 4, 5, dtype=torch.float64)
    changed = x.clone()
    changed[:, 1, 2] += 1
    assert ((rnn(changed)[0] - rnn(x)[0]).abs().amax(0) > 0).all()


def test_gradients_flow_through_space_and_time() -> None:
    rnn = SpatioTemporalRNN(3, 4, 2)
    first, second = torch.randn(2, 3, 4, 4).unbind()
    _, state = rnn(first)
    rnn(second, state)[0].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in rnn.parameters())


@pytest.mark.parametrize(("height", "width"), [(3, 4), (4, 2), (1, 3), (3, 1)])
def test_skewed_columns_are_anti_diagonals(height: int, width: int) -> None:
    x = torch.arange(1, height * width + 1).view(height, width)
    skewed = skew(x)
    assert skewed.shape == (height, height + width - 1)
    for i in range(height):
        for j in range(width):
            assert skewed[i, i + j] == x[i, j]
    assert (skewed > 0).sum() == height * width
    assert torch.equal(unskew(skewed, width), x)
