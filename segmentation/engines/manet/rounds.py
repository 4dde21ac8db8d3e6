"""The rounds of a session of MA-Net: their scribbles and masks, at the size of an embedding (1/4 of the frame's).

Both memories of the paper are computed from the rounds and the embeddings alone, and are only cached. So a session that
is rebuilt from stored rounds computes exactly the same masks as the session before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from segmentation.session.round_labels import RoundLabels


@dataclass(eq=False)
class ManetRound:
    """An interaction and the masks of its round."""

    frame: int  # the frame that was drawn on
    scribbles: Tensor  # the ids under its scribbles, int64 [h, w], -1 elsewhere
    labels: RoundLabels  # the masks of the round by frame
    ids: frozenset[int] = field(default_factory=frozenset)  # the ids of its scribbles

    def neighbour(self, frame: int) -> int:
        """Return the adjacent frame from which this round propagated to `frame`."""
        return frame - 1 if frame > self.frame else frame + 1

    def reached(self, frame: int) -> bool:
        """Return whether this round propagated to `frame`.

        The round then has the masks of `frame` and of the adjacent frame from which it was propagated.
        """
        return frame != self.frame and frame in self.labels and self.neighbour(frame) in self.labels


def rough_region(scribbles: Tensor, margin: int) -> Tensor:
    """Return the ids under scribbles [h, w] with all pixels outside a box around the scribbles set to background.

    The box is larger than the scribbles by `margin` pixels on each side. It is the rough region of figure 6 of the
    MA-Net paper. As in the official code, the last row and column are always outside.
    """
    height, width = scribbles.shape
    drawn = torch.nonzero(scribbles >= 0)
    (top, left), (bottom, right) = drawn.amin(0).tolist(), drawn.amax(0).tolist()
    inside = torch.zeros_like(scribbles, dtype=torch.bool)
    rows = slice(max(top - margin, 0), min(bottom + margin, height - 1))
    inside[rows, max(left - margin, 0) : min(right + margin, width - 1)] = True
    return torch.where(inside, scribbles, torch.zeros_like(scribbles))
