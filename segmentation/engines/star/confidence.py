"""Estimates the J of masks: of propagated ones from their cues, of drawn ones from how well the target model fits.

Both estimates are trained on the masks of simulated users and their true J (`segmentation.training.confidence`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engines.star.matching import OWN, Cues, remembered, score

EVIDENCE = 9  # figures about a propagated mask: see `propagated_evidence`
DRAWN_EVIDENCE = 10  # figures about a drawn mask: see `drawn_evidence`
SMALLEST = 0.5  # area in cells below which means over a mask fade to 0
RING = 3  # width in cells of the surroundings of a drawn mask
FARTHEST = 4.0  # Figures farther from their mean, in standard deviations, count as this far.


class Confidence(nn.Module):
    """Turns `inputs` figures about each mask, [n, inputs], into its expected J, [n] in 0..1.

    It is linear in the figures: a network with one hidden layer was further off on other videos.
    """

    mean: Tensor  # [inputs], of the figures in training
    scale: Tensor  # [inputs], their standard deviation

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
    """Compute the figures about propagated masks, [n, EVIDENCE].

    Args:
        cues: what the masks were decoded from.
        masks: their probabilities at stride 4, [n, 2h, 2w].
        expected: the logits of the J that the decoder expects, [n].
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
    """Compute the figures about the masks of a drawn frame, [n, DRAWN_EVIDENCE].

    The target model is fitted to the masks themselves: where it contradicts a mask, the mask mixes what looks different
    or separates what looks alike.

    Args:
        cells: the embedding of the frame, [E, h, w].
        shares: the share of each cell that each object covers, [n, h, w].
        times: how often each object was drawn on in this frame, [n].
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
    """Return the soft J of maps [n, h, w] in 0..1, which is 1 for two empty ones."""
    return (torch.minimum(a, b).sum((1, 2)) + SMALLEST) / (torch.maximum(a, b).sum((1, 2)) + SMALLEST)
