"""Soft aggregation: combines the masks of objects that were estimated separately (RGMP; IPN, equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7  # keeps the logit finite; the value is that of STM
STM_CHANNELS = 11  # STM's fixed number of channels: background and at most ten objects


def aggregate_logits(probabilities: Tensor, channels: int = STM_CHANNELS) -> Tensor:
    """Combine foreground probabilities [N, ...] of N objects into logits [K, ...], K = max(channels, N + 1).

    Channel 0 is the background. Channels above N stay at logit(1e-7), as in STM; in the softmax each gets about 1e-7.
    """
    objects = probabilities.shape[0]
    joint = probabilities.new_zeros((max(channels, objects + 1), *probabilities.shape[1:]))
    joint[0] = torch.prod(1 - probabilities, dim=0)
    joint[1 : objects + 1] = probabilities
    return torch.logit(joint, eps=EPSILON)


def aggregate(probabilities: Tensor, channels: int = 0) -> Tensor:
    """Combine foreground probabilities [N, ...] into a distribution over background and objects [N + 1, ...]."""
    return torch.softmax(aggregate_logits(probabilities, channels), dim=0)[: probabilities.shape[0] + 1]
