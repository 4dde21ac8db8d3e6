"""Tests reading STM's memory, which is computed in blocks: the result equals the softmax of the paper."""

from __future__ import annotations

import math

import pytest
import torch

from segmentation.networks.memory import MemorySlot, read_memory


def slots_of(count: int, spread: float = 1.0) -> list[MemorySlot]:
    torch.manual_seed(count)
    return [
        MemorySlot.from_maps(spread * torch.randn(8, 5, 6, dtype=torch.float64), torch.randn(16, 5, 6).double())
        for _ in range(count)
    ]


@pytest.mark.parametrize("block_bytes", [1, 2000, 1 << 24])
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("spread", [1.0, 60.0])  # with 60, exp overflows unless the maximum is subtracted first
def test_it_is_a_softmax_over_all_memory_cells(block_bytes: int, count: int, spread: float) -> None:
    slots = slots_of(count, spread)
    query = torch.randn(8, 3, 7, dtype=torch.float64)
    keys = torch.cat([slot.key for slot in slots], dim=1)
    values = torch.cat([slot.value for slot in slots], dim=1)
    affinity = torch.softmax(keys.t() @ query.flatten(1) / math.sqrt(8), dim=0)
    expected = (values @ affinity).view(16, 3, 7)
    torch.testing.assert_close(read_memory(slots, query, block_bytes), expected, rtol=1e-4, atol=1e-5)


def test_slots_may_differ_in_size() -> None:
    slots = [*slots_of(1), MemorySlot(torch.randn(8, 3).double(), torch.randn(16, 3).double())]
    assert read_memory(slots, torch.randn(8, 2, 2).double()).shape == (16, 2, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_sums_in_full(dtype: torch.dtype) -> None:
    """Sums are computed in float32: in bfloat16, a sum over thousands of equal cells would stop at 256."""
    slot = MemorySlot(torch.zeros(4, 5000, dtype=dtype), torch.ones(2, 5000, dtype=dtype))
    read = read_memory([slot, slot], torch.zeros(4, 1, 1, dtype=dtype))
    assert read.dtype == dtype
    torch.testing.assert_close(read.float(), torch.ones(2, 1, 1), rtol=1e-2, atol=1e-2)


def test_it_refuses_an_empty_memory() -> None:
    with pytest.raises(ValueError, match="slots"):
        read_memory([], torch.zeros(4, 1, 1))


def test_it_can_be_trained_through() -> None:
    """The gradients of reading the memory in blocks equal those of a plain softmax."""
    torch.manual_seed(0)
    keys, values = torch.randn(2, 4, 6, requires_grad=True), torch.randn(2, 3, 6, requires_grad=True)
    query = torch.randn(4, 2, 3, requires_grad=True)
    weights = torch.randn(3, 2, 3)
    slots = [MemorySlot(key, value) for key, value in zip(keys, values, strict=True)]
    found = torch.autograd.grad((read_memory(slots, query, block_bytes=1) * weights).sum(), (keys, values, query))
    every_key, every_value = keys.permute(1, 0, 2).flatten(1), values.permute(1, 0, 2).flatten(1)
    plain = every_value @ torch.softmax(every_key.t() @ query.flatten(1) / 2, dim=0)
    expected = torch.autograd.grad((plain.view(3, 2, 3) * weights).sum(), (keys, values, query))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
