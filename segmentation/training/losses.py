"""Loss functions of logits [n + 1, H, W] and labels [H, W]: cross-entropy of the hardest pixels, and soft J."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.types import IGNORE

SURE = 0.7  # `hard_pixels_cross_entropy` may leave out pixels whose true label has at least this probability


def bootstrapped_cross_entropy(logits: Tensor, labels: Tensor, keep: float) -> Tensor:
    """Return the mean cross-entropy of the fraction `keep` of pixels where it is highest (Pohlen et al. 2017).

    Args:
        logits: [n + 1, H, W], background first.
        labels: int [H, W]; pixels with 255 have no loss, but count as pixels in the fraction and in the mean.
    """
    each = F.cross_entropy(logits[None], labels[None].long(), ignore_index=IGNORE, reduction="none").flatten()
    count = max(1, int(keep * each.numel()))
    return each.topk(count).values.mean() if count < each.numel() else each.mean()


def hard_pixels_cross_entropy(logits: Tensor, labels: Tensor, keep: float) -> Tensor:
    """Return a mean like `bootstrapped_cross_entropy`, in which pixels whose true label has a probability below SURE
    always count.

    So an untrained network learns from all pixels. If it learned from the worst pixels alone, it would give equal
    probabilities everywhere for a long time.
    """
    each = F.cross_entropy(logits[None], labels[None].long(), ignore_index=IGNORE, reduction="none").flatten()
    count = max(1, int(keep * each.numel()))
    least = each.detach().topk(count).values[-1].clamp(max=-math.log(SURE))
    return each[each >= least].mean()


def soft_jaccard(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - soft J (J of probabilities), averaged over the objects in `labels`; 0 if there is none."""
    decided = labels != IGNORE
    p = torch.softmax(logits, dim=0)[1:] * decided
    y = torch.stack([(labels == number) for number in range(1, len(logits))]).to(p.dtype)
    present = y.flatten(1).any(dim=1)
    if not present.any():
        return logits.sum() * 0
    hit, union = (p * y).flatten(1).sum(1), (p + y - p * y).flatten(1).sum(1)
    return (1 - (hit + 1) / (union + 1))[present].mean()
