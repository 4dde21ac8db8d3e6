"""The history of MA-Net: scribbles and masks of its rounds, at the size of the embedding.

Both memories of the paper are computed from this history and the embeddings alone, and are only cached. So a session
that was rebuilt from stored rounds gives exactly the masks of one that was kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from segmentation.session.round_labels import RoundLabels


@dataclass(eq=False)
class ManetRound:
    """One interaction and the masks of its round.

    `scribbles` are ids, int64 [h, w], with -1 where nothing was drawn.
    """

    frame: int
    scribbles: Tensor
    labels: RoundLabels
    ids: frozenset[int] = field(default_factory=frozenset)  # the ids that were drawn

    def neighbour(self, frame: int) -> int:
        """Return the frame from which this round propagated to `frame`."""
        return frame - 1 if frame > self.frame else frame + 1

    def reached(self, frame: int) -> bool:
        """Return whether this round computed a local map of `frame` and stored the masks that the map depends on."""
        return frame != self.frame and frame in self.labels and self.neighbour(frame) in self.labels


def rough_region(scribbles: Tensor, margin: int) -> Tensor:
    """Label everything outside the box around the scribbles, enlarged by `margin` cells, as background.

    This is the rough region of figure 6 of the MA-Net paper. As in the official code, the last row and column always
    are outside.
    """
    height, width = scribbles.shape
    drawn = torch.nonzero(scribbles >= 0)
    (top, left), (bottom, right) = drawn.amin(0).tolist(), drawn.amax(0).tolist()
    inside = torch.zeros_like(scribbles, dtype=torch.bool)
    rows = slice(max(top - margin, 0), min(bottom + margin, height - 1))
    inside[rows, max(left - margin, 0) : min(right + margin, width - 1)] = True
    return torch.where(inside, scribbles, torch.zeros_like(scribbles))
