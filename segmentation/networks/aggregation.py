"""Soft aggregation: masks of objects that were estimated alone become one multi-object mask (RGMP; IPN, equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7  # keeps the logit finite; the value is STM's
STM_CHANNELS = 11  # STM's fixed number of channels: background and at most ten objects


def aggregate_logits(probabilities: Tensor, channels: int = STM_CHANNELS) -> Tensor:
    """Foreground probabilities [N, ...] of N objects -> logits [K, ...], background first, K = max(channels, N + 1).

    Channels above N stay at logit(1e-7), as in STM, where they take a share of a few 1e-7 in the softmax.
    """
    objects = probabilities.shape[0]
    joint = probabilities.new_zeros((max(channels, objects + 1), *probabilities.shape[1:]))
    joint[0] = torch.prod(1 - probabilities, dim=0)
    joint[1 : objects + 1] = probabilities
    return torch.logit(joint, eps=EPSILON)


def aggregate(probabilities: Tensor, channels: int = 0) -> Tensor:
    """Foreground probabilities [N, ...] -> a distribution over background and objects [N + 1, ...]."""
    return torch.softmax(aggregate_logits(probabilities, channels), dim=0)[: probabilities.shape[0] + 1]
