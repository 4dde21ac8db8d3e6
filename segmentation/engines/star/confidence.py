"""Estimates the J that masks would have with the ground truth, which is the confidence that STAR reports.

For propagated masks it is estimated from the maps (cues) from which they were decoded; for masks in frames that were
drawn on, from how well a linear model can tell the object from its surroundings. Both estimates are trained on masks of
simulated users and their true J (`train_confidence`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engines.star.matching import OWN, Cues, remembered, score

EVIDENCE = 9  # Number of figures about a propagated mask, see `propagated_evidence`.
DRAWN_EVIDENCE = 10  # Number of figures about a mask in a frame that was drawn on, see `drawn_evidence`.
SMALLEST = 0.5  # Area in cells of 8 x 8 pixels below which means over a mask fade to 0.
RING = 3  # Width in cells of the surroundings of a mask.
FARTHEST = 4.0  # Figures are clipped to this many standard deviations from their mean.


class Confidence(nn.Module):
    """Estimates the J of n masks, [n] in 0..1, from `inputs` figures about each, [n, inputs].

    It is a logistic regression. A network with a hidden layer estimated worse on videos outside the training set.
    """

    mean: Tensor  # [inputs]: mean of each figure in training
    scale: Tensor  # [inputs]: standard deviation of each figure in training

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.layer = nn.Linear(inputs, 1)

    def forward(self, evidence: Tensor) -> Tensor:
        return torch.sigmoid(self.logits(evidence))

    def logits(self, evidence: Tensor) -> Tensor:
        normalised = ((evidence - self.mean) / self.scale).clamp(-FARTHEST, FARTHEST)
        logits: Tensor = self.layer(normalised)[:, 0]
        return logits


def propagated_evidence(cues: Cues, masks: Tensor, expected: Tensor) -> Tensor:
    """Compute the figures about n propagated masks from which their J is estimated, [n, EVIDENCE].

    Cues are maps that tell where an object may be. Among the figures are the overlap of the mask with single cues and
    with the mask of an earlier round.

    Args:
        cues: the maps from which the masks were decoded.
        masks: the probability maps of the masks at stride 4, [n, 2h, 2w].
        expected: the logits of the J that the decoder estimates, [n].
    """
    p = F.avg_pool2d(masks[None], 2)[0]
    own = cues.coarse[:, :OWN]
    read, near, moved, known = own[:, 0], own[:, 4], own[:, 7], own[:, 10]
    earlier = (own[:, 9] + 1) / 2 * known
    seen_before = known.amax((1, 2))
    doubt = (masks * (1 - masks)).sum((1, 2)) / (masks.sum((1, 2)) + 1)
    closeness = own[:, 13].mean((1, 2)), own[:, 14].mean((1, 2))
    overlaps = [_overlap(p, part) for part in (read, near, moved)]
    figures = [expected, *overlaps, _overlap(p, earlier) * seen_before, seen_before, doubt, *closeness]
    return torch.stack(figures, 1)


def drawn_evidence(cells: Tensor, shares: Tensor, times: Tensor) -> Tensor:
    """Compute the figures about n masks in a frame that was drawn on, from which their J is estimated.

    A linear model (`matching.ridge`) is fitted to the masks themselves. Where it contradicts a mask, the mask probably
    joins things that look different, or separates things that look alike.

    Args:
        cells: the embedding of the frame, [E, h, w].
        shares: the share of each cell that each object covers, [n, h, w].
        times: the number of scribbles of each object in this frame, [n].

    Returns:
        The figures, [n, DRAWN_EVIDENCE].
    """
    rows, own = cells.flatten(1).T, shares.flatten(1).T
    area = own.sum(0)
    scored = score(rows, remembered(rows, own, torch.ones_like(own))).T.reshape(shares.shape)
    fitted = ((scored + 1) / 2).clamp(0, 1)
    around = (F.max_pool2d(shares[None], 2 * RING + 1, 1, RING)[0] - shares).clamp(0, 1)
    border = (shares - F.avg_pool2d(shares[None], 3, 1, 1)[0]).abs().sum((1, 2))
    figures = [
        (area + 1).log(),
        border / (area + 1).sqrt(),
        _overlap(fitted, shares),
        (scored * shares).sum((1, 2)) / (area + SMALLEST),
        (scored * around).sum((1, 2)) / (around.sum((1, 2)) + SMALLEST),
        (scored * (1 - shares)).sum((1, 2)) / (1 - shares).sum((1, 2)).clamp_min(1),
        ((scored < 0) * shares).sum((1, 2)) / (area + SMALLEST),
        ((scored > 0) * around).sum((1, 2)) / (around.sum((1, 2)) + SMALLEST),
        times.clamp(max=4),
        (times > 0).to(area.dtype),
    ]
    return torch.stack(figures, 1)


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    """Return the soft J of n pairs of maps, each [n, h, w] in 0..1. It is 1 for two empty maps."""
    return (torch.minimum(a, b).sum((1, 2)) + SMALLEST) / (torch.maximum(a, b).sum((1, 2)) + SMALLEST)
