"""Tests padding to multiples of a stride: symmetric, with the smaller half left and on top, and undone exactly."""

from __future__ import annotations

import pytest
import torch

from segmentation.networks.padding import Padding, pad, padding_to, unpad


@pytest.mark.parametrize(
    ("size", "expected"),
    [((120, 150), (5, 5, 4, 4)), ((480, 854), (5, 5, 0, 0)), ((16, 17), (7, 8, 0, 0)), ((32, 64), (0, 0, 0, 0))],
)
def test_both_sides_become_multiples(size: tuple[int, int], expected: tuple[int, int, int, int]) -> None:
    padding = padding_to(16, *size)
    assert padding == Padding(*expected)
    x = torch.rand(2, *size)
    padded = pad(x, padding)
    assert padded.shape[1] % 16 == padded.shape[2] % 16 == 0
    assert torch.equal(unpad(padded, padding), x)
    torch.testing.assert_close(padded.sum(), x.sum())
