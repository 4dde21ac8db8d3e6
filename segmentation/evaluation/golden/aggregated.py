"""Computes how much rounding may change the logits of aggregated probabilities, and the softmax over them.

The logit of a probability near 0 or 1 is ill-conditioned: where it is 13, one float32 step of the probability changes
it by 0.2 %. That is more than the tolerance of a golden array, and the kernels of two processors often differ so much.
The softmax over several objects that all have a probability near 1 is ill-conditioned too. So an element also counts as
equal if it lies between the values that a change of the aggregated probabilities by STEP gives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from segmentation.networks.aggregation import EPSILON

STEEP = 8  # a logit with an absolute value above this is compared as a probability
STEP = 1e-6  # allowed change of a probability; just below 1 this is 17 steps of float32

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]  # lowest and highest value of each element


def logit_bounds(logits: Tensor) -> Bounds:
    """Return the lowest and the highest logits that count as equal to those of the official code, both [K, ...].

    Where |logit| <= STEEP, both equal the given logits. Elsewhere the probability may change by STEP.
    """
    values = logits.numpy().astype(np.float64)
    probability = 1 / (1 + np.exp(-values))
    steep = np.abs(values) > STEEP
    low = np.where(steep, _logit(probability - STEP), values)
    high = np.where(steep, _logit(probability + STEP), values)
    return np.minimum(low, values), np.maximum(high, values)  # a clamped logit may exceed the logit of EPSILON


def softmax_bounds(logits: Tensor) -> Bounds:
    """Return the lowest and the highest softmax over the first axis, both [K, ...], for logits in `logit_bounds`."""
    low, high = (np.exp(bound) for bound in logit_bounds(logits))
    lowest = low / (low + high.sum(axis=0) - high)
    highest = high / (high + low.sum(axis=0) - low)
    return lowest, highest


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    clamped = np.clip(probability, EPSILON, 1 - EPSILON)
    return np.log(clamped / (1 - clamped))
