"""What MA-Net remembers of its rounds: scribbles and masks, at the size of the embedding.

Both memories of the paper are functions of this history and of the embeddings, so a session that was rebuilt from
stored rounds holds exactly what a kept one does; the maps themselves are only cached.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.manet.network import resize_labels
from segmentation.types import LabelMap


class RoundLabels:
    """The masks of one round as label maps [h, w]; its own are compressed, those of a store read on demand."""

    def __init__(self, size: tuple[int, int], stored: Mapping[int, LabelMap] | None = None) -> None:
        self._size = size
        self._stored = stored or {}
        self._own: dict[int, bytes] = {}

    def __contains__(self, frame: int) -> bool:
        return frame in self._own or frame in self._stored

    def __getitem__(self, frame: int) -> Tensor:
        """int64 [h, w]. KeyError if the round did not get to `frame`."""
        if frame in self._own:
            flat = np.frombuffer(zlib.decompress(self._own[frame]), np.uint8)
            return torch.from_numpy(flat.astype(np.int64).reshape(self._size))
        return to_cells(self._stored[frame], self._size)

    def __setitem__(self, frame: int, labels: Tensor) -> None:
        self._own[frame] = zlib.compress(labels.cpu().numpy().astype(np.uint8).tobytes(), 1)


@dataclass
class Round:
    """One interaction and its masks. `scribbles` int64 [h, w]: ids, -1 where nothing was drawn."""

    frame: int
    scribbles: Tensor
    labels: RoundLabels
    ids: frozenset[int] = field(default_factory=frozenset)  # the ids that were drawn

    def neighbour(self, frame: int) -> int:
        """The frame from which this round came to `frame`."""
        return frame - 1 if frame > self.frame else frame + 1

    def reached(self, frame: int) -> bool:
        """Whether this round computed a local map of `frame`, from masks that were stored."""
        return frame != self.frame and frame in self.labels and self.neighbour(frame) in self.labels


def to_cells(labels: LabelMap, size: tuple[int, int]) -> Tensor:
    """A mask at the video's size -> int64 [h, w] at the embedding's."""
    return resize_labels(torch.from_numpy(labels.astype(np.int64)), size)


def rough_region(scribbles: Tensor, margin: int) -> Tensor:
    """Scribbles with everything outside their box, grown by `margin` cells, as background (paper, figure 6).

    The last row and column are outside even of a box that touches them, as in the official code.
    """
    height, width = scribbles.shape
    drawn = torch.nonzero(scribbles >= 0)
    (top, left), (bottom, right) = drawn.amin(0).tolist(), drawn.amax(0).tolist()
    inside = torch.zeros_like(scribbles, dtype=torch.bool)
    rows = slice(max(top - margin, 0), min(bottom + margin, height - 1))
    inside[rows, max(left - margin, 0) : min(right + margin, width - 1)] = True
    return torch.where(inside, scribbles, torch.zeros_like(scribbles))
