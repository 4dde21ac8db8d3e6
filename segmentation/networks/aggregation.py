"""Soft aggregation: combines probability maps of objects that were computed separately, so that they sum to 1.

The method is that of RGMP (Oh et al., CVPR 2018) and of equation 1 of the IPN paper.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-7  # Keeps the logit finite. The value is that of STM.
STM_CHANNELS = 11  # The fixed number of channels of STM: background and at most ten objects.


def aggregate_logits(probabilities: Tensor, channels: int = STM_CHANNELS) -> Tensor:
    """Combine the probabilities [N, ...] of N objects into logits [K, ...], with K = max(channels, N + 1).

    Channel 0 is the background, channels 1 to N are the objects. Channels above N are logit(1e-7), as in STM, so that
    each gets about 1e-7 in the softmax.
    """
    objects = probabilities.shape[0]
    joint = probabilities.new_zeros((max(channels, objects + 1), *probabilities.shape[1:]))
    joint[0] = torch.prod(1 - probabilities, dim=0)
    joint[1 : objects + 1] = probabilities
    return torch.logit(joint, eps=EPSILON)


def aggregate(probabilities: Tensor, channels: int = 0) -> Tensor:
    """Combine the probabilities [N, ...] of N objects into probabilities of background and objects, [N + 1, ...].

    See `aggregate_logits` for `channels`.
    """
    return torch.softmax(aggregate_logits(probabilities, channels), dim=0)[: probabilities.shape[0] + 1]
