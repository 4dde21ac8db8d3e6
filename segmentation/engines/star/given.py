"""Given masks, which are those of annotated and accepted frames, and the cells of them that enter the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.matching import Memory, remembered
from segmentation.types import LabelMap

NEAR = 3  # Within this distance of an object, in cells, all cells enter the memory.
SPARSE = 5  # Elsewhere one of this many cells does, with this many times the weight.
SEEN = 0.05  # An object is in a cell if it covers at least this share of it.


@dataclass(frozen=True, eq=False)
class Given:
    """The mask of an annotated or accepted frame, and which of n objects it covers."""

    labels: LabelMap  # [H, W] at the size of the video
    masks: Tensor  # [n, h, w], 0..1, at stride 4
    known: Tensor  # [n], 1 for objects that had been drawn when the mask was made, else 0

    @property
    def shares(self) -> Tensor:
        """The share of each cell of stride 8 that each object covers, [n, h, w]."""
        return F.avg_pool2d(self.masks[None], 2)[0]


class CellRows(NamedTuple):
    """The cells (8 x 8 pixels) of one frame that enter the memory, one per row; see `matching.remembered`."""

    cells: Tensor  # [M, E]
    shares: Tensor  # [M, n]
    weights: Tensor  # [M, n]


def sample_cells(embedding: Tensor, shares: Tensor, weights: Tensor) -> CellRows:
    """Choose the cells that enter the memory, from a frame with `embedding` [E, h, w] and object shares [n, h, w].

    `weights` [n] is the weight of the frame for each object.
    """
    near = F.max_pool2d(shares.sum(0)[None, None], 2 * NEAR + 1, 1, NEAR)[0, 0].flatten() > SEEN
    kept = near | (torch.arange(len(near), device=near.device) % SPARSE == 0)
    counts = (SPARSE - (SPARSE - 1) * near[kept].to(weights.dtype))[:, None] * weights
    return CellRows(embedding.flatten(1).T[kept], shares.flatten(1).T[kept], counts)


def join_cells(frames: Sequence[CellRows]) -> Memory:
    """Combine the cells of several frames into a memory."""
    return remembered(*(torch.cat(parts) for parts in zip(*frames, strict=True)))
