"""The history of MA-Net: scribbles and masks of its rounds, at the size of the embedding.

Both memories of the paper are functions of this history and of the embeddings, so a session that was rebuilt from
stored rounds holds exactly what a kept one does; the maps themselves are only cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from segmentation.session.round_labels import RoundLabels


@dataclass(eq=False)
class ManetRound:
    """One interaction and its masks. `scribbles` int64 [h, w]: ids, -1 where nothing was drawn."""

    frame: int
    scribbles: Tensor
    labels: RoundLabels
    ids: frozenset[int] = field(default_factory=frozenset)  # the ids that were drawn

    def neighbour(self, frame: int) -> int:
        """Return the frame from which this round propagated to `frame`."""
        return frame - 1 if frame > self.frame else frame + 1

    def reached(self, frame: int) -> bool:
        """Whether this round computed a local map of `frame` and stored the masks for it."""
        return frame != self.frame and frame in self.labels and self.neighbour(frame) in self.labels


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
