"""The masks of annotated, accepted and painted frames (given masks), and the choice of their cells for the memory.

A cell is a square of 8 x 8 pixels of a frame at the working size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.matching import Memory, remembered
from segmentation.types import LabelMap

NEAR = 3  # All cells within this distance of an object, in cells, enter the memory.
SPARSE = 5  # Of the other cells every fifth enters the memory, with five times the weight.
SEEN = 0.05  # A cell belongs to objects if they cover more than this share of it.


@dataclass(frozen=True, eq=False)
class Given:
    """The mask of an annotated, accepted or painted frame, and for which of the n objects it counts.

    It counts for an object if it shows where the object is, or that the object is absent.
    """

    labels: LabelMap  # [H, W] at the size of the video
    masks: Tensor  # [n, h, w], 0..1, at stride 4
    known: Tensor  # [n]: 1 for objects whose place, or absence, the mask shows; 0 for those first drawn later

    @property
    def shares(self) -> Tensor:
        """The share of each cell (8 x 8 pixels) that each object covers, [n, h, w]."""
        return F.avg_pool2d(self.masks[None], 2)[0]

    def with_rows(self, rows: int) -> Given:
        """Return the same masks with further ones up to `rows`, of which nothing is known."""
        return replace(self, masks=with_rows(self.masks, rows), known=with_rows(self.known, rows))


def with_rows(values: Tensor, rows: int) -> Tensor:
    """Return `values` with further rows of zeros, so that there are `rows` in all."""
    return torch.cat([values, values.new_zeros(rows - len(values), *values.shape[1:])])


def with_given(masks: Tensor, given: Given, objects: int) -> Tensor:
    """Return the masks of a frame, [n, h, w], with those of the objects that `given` knows replaced by the given ones.

    The first rows of `masks` are those of `objects` objects. The rest are look-alikes, which give way to known objects.
    """
    known = given.known[:, None, None] > 0
    taken = (given.masks * known)[:objects].sum(0).clamp(0, 1)
    room = torch.cat([masks[:objects], masks[objects:] * (1 - taken)])
    return torch.where(known, given.masks, room)


class CellRows(NamedTuple):
    """The M cells (8 x 8 pixels) of a frame that enter the memory, one per row; see `matching.remembered`."""

    cells: Tensor  # [M, E]: embedding of each cell
    shares: Tensor  # [M, n]: share of the cell that each object covers
    weights: Tensor  # [M, n]: weight of the cell for each object


def sample_cells(embedding: Tensor, shares: Tensor, weights: Tensor) -> CellRows:
    """Choose the cells of a frame that enter the memory: all near an object, and every fifth of the others.

    Args:
        embedding: the embedding of the frame, [E, h, w].
        shares: the share of each cell that each object covers, [n, h, w].
        weights: the weight of the frame for each object, [n].
    """
    near = F.max_pool2d(shares.sum(0)[None, None], 2 * NEAR + 1, 1, NEAR)[0, 0].flatten() > SEEN
    kept = near | (torch.arange(len(near), device=near.device) % SPARSE == 0)
    counts = (SPARSE - (SPARSE - 1) * near[kept].to(weights.dtype))[:, None] * weights
    return CellRows(embedding.flatten(1).T[kept], shares.flatten(1).T[kept], counts)


def join_cells(frames: Sequence[CellRows]) -> Memory:
    """Combine the chosen cells of several frames into STAR's memory."""
    return remembered(*(torch.cat(parts) for parts in zip(*frames, strict=True)))
