"""Given masks: those of annotated and accepted frames, and the cells that are remembered of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.matching import Memory, remembered
from segmentation.types import LabelMap

NEAR = 3  # cells: this close to an object, all cells are remembered
SPARSE = 5  # elsewhere, one cell of this many is, with as much more weight
SEEN = 0.05  # share of a cell from which an object counts as being there


@dataclass(frozen=True, eq=False)
class Given:
    """The mask of an annotated or accepted frame, and which of n objects it speaks of."""

    labels: LabelMap  # [H, W] at the size of the video
    masks: Tensor  # [n, h, w], 0..1, at stride 4
    known: Tensor  # [n], 1 where the mask says something of the object, else 0

    @property
    def shares(self) -> Tensor:
        """The share of each cell of stride 8 that the objects cover [n, h, w]."""
        return F.avg_pool2d(self.masks[None], 2)[0]


class CellRows(NamedTuple):
    """What is remembered of one frame, a row per cell; see `remembered`."""

    cells: Tensor  # [M, E]
    shares: Tensor  # [M, n]
    weights: Tensor  # [M, n]


def sample_cells(embedding: Tensor, shares: Tensor, weights: Tensor) -> CellRows:
    """The cells that are remembered of a frame with `embedding` [E, h, w] and object shares [n, h, w].

    `weights` [n] say how much the frame counts for each object.
    """
    near = F.max_pool2d(shares.sum(0)[None, None], 2 * NEAR + 1, 1, NEAR)[0, 0].flatten() > SEEN
    kept = near | (torch.arange(len(near), device=near.device) % SPARSE == 0)
    counts = (SPARSE - (SPARSE - 1) * near[kept].to(weights.dtype))[:, None] * weights
    return CellRows(embedding.flatten(1).T[kept], shares.flatten(1).T[kept], counts)


def join_cells(frames: Sequence[CellRows]) -> Memory:
    """The memory of several frames together."""
    return remembered(*(torch.cat(parts) for parts in zip(*frames, strict=True)))
