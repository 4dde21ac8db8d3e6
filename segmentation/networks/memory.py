"""Reads the space-time memory of STM (Oh et al., ICCV 2019, equation 1) without making the full affinity matrix.

    read(q) = sum_m p(m, q) v(m),    p(m, q) = softmax over m of k(m) . k(q) / sqrt(C)

Here q is a cell of the frame to segment, m runs over the cells of all frames in memory, k are keys of C channels and v
are values. The memory is a list of slots, one per frame. The softmax over all slots is computed in the online form of
Milakov and Gimelshein (2018): only the scores between one slot and one block of cells q exist at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmentation.networks.blocks import conv3x3

BLOCK_BYTES = 16 << 20  # Bytes of scores at a time: about the size of the last-level cache of a small CPU.


class KeyValue(nn.Module):
    """Computes keys and values from encoder features, by a 3x3 convolution each, with bias and without activation."""

    def __init__(self, inputs: int, keys: int, values: int) -> None:
        super().__init__()
        self.Key = conv3x3(inputs, keys)
        self.Value = conv3x3(inputs, values)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Compute keys [N, keys, h, w] and values [N, values, h, w] of features [N, inputs, h, w]."""
        return self.Key(features), self.Value(features)


@dataclass(frozen=True, eq=False)
class MemorySlot:
    """The memory of one frame for one object: the keys [C, M] and values [D, M] of its M cells."""

    key: Tensor
    value: Tensor

    @classmethod
    def from_maps(cls, key: Tensor, value: Tensor) -> MemorySlot:
        """Make a slot from a map of keys [C, h, w] and a map of values [D, h, w]."""
        return cls(key.flatten(1).contiguous(), value.flatten(1).contiguous())

    @property
    def nbytes(self) -> int:
        return self.key.nbytes + self.value.nbytes


def read_memory(slots: Sequence[MemorySlot], query: Tensor, block_bytes: int = BLOCK_BYTES) -> Tensor:
    """Read the memory of an object for each cell of a frame with the keys `query` [C, h, w]. Return values [D, h, w].

    `block_bytes` is the largest size of the scores that exist at a time.

    Raises:
        ValueError: `slots` is empty.
    """
    if not slots:
        raise ValueError("slots: the memory is empty")
    height, width = query.shape[-2:]
    cells = query.flatten(1).t() / math.sqrt(query.shape[0])  # [Q, C]
    largest = max(slot.key.shape[1] for slot in slots)
    block = max(1, block_bytes // (largest * query.element_size()))
    blocks = [_read_block(slots, part) for part in cells.split(block)]
    return torch.cat(blocks).t().reshape(-1, height, width)


def _read_block(slots: Sequence[MemorySlot], cells: Tensor) -> Tensor:
    """Read the memory for a block of cells. `cells` [B, C] are their keys, divided by sqrt(C). Return values [B, D].

    Softmax and sums are computed in float32, even if keys and values are not float32.
    """
    peak = cells.new_full((len(cells), 1), -math.inf, dtype=torch.float32)
    total = torch.zeros_like(peak)
    result = peak.new_zeros(len(cells), slots[0].value.shape[0])
    for slot in slots:
        scores = (cells @ slot.key).float()  # [B, M]
        top = scores.amax(dim=1, keepdim=True)  # [B, 1]
        odds = torch.exp(scores - top)
        mass = odds.sum(dim=1, keepdim=True)  # It is at least 1.
        shares = (odds / mass).to(cells.dtype)  # They sum to 1, so that half precision cannot overflow.
        higher = torch.maximum(peak, top)
        # The factor for the sums so far, which were relative to a lower peak. It is 0 for the first slot.
        shrink = torch.exp(peak - higher)
        mass = mass * torch.exp(top - higher)
        total = total * shrink + mass
        result = result * shrink + mass * (shares @ slot.value.t())
        peak = higher
    return (result / total).to(cells.dtype)
