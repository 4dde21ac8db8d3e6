"""What STAR remembers of a frame, and how a frame is read from it: the same code in training and in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.network import Cues, Frame, Star, fit, score

SCRIBBLED = 5.0  # weight of a scribbled pixel in the regression; one of a trusted mask has 1
UNTRUSTED = 0.3  # of a mask that only a network made, and (as background) of a frame that has none yet


class Remembered(NamedTuple):
    """One memory frame of N pairs. Keys and pixels are the image's; what differs from object to object is the rest."""

    key: Tensor  # [N, C, h, w] at 1/8
    value: Tensor  # [N, D, h, w]
    pixels: Tensor  # [N, E, 2h, 2w] at 1/4
    target: Tensor  # [N, 2h, 2w] in -1..1
    weight: Tensor  # [N, 2h, 2w]


def labelled(cues: Cues, *, trusted: bool) -> tuple[Tensor, Tensor]:
    """Targets and weights of the regression at 1/4, each [N, h, w], from cues [N, H, W]."""
    mask = F.avg_pool2d(cues.mask, 4)
    positive, negative = F.max_pool2d(cues.positive, 4), F.max_pool2d(cues.negative, 4)
    target = torch.where(positive > 0, 1.0, torch.where(negative > 0, -1.0, 2 * mask - 1))
    base = (2 * mask - 1).abs() * (1.0 if trusted else UNTRUSTED)
    return target, torch.where((positive > 0) | (negative > 0), SCRIBBLED, base)


def decode(network: Star, frame: Frame, memory: Sequence[Remembered], cues: Cues) -> Tensor:
    """Logits [N, H/2, W/2] of N pairs.

    `frame` holds the frame of each pair, or one that all share (as do keys and pixels of `memory` then): the affinity
    is computed once for all objects. `memory` has at least one frame.
    """
    query = frame.key.flatten(2)
    keys = torch.cat([slot.key.flatten(2) for slot in memory], dim=2)
    values = torch.cat([slot.value.flatten(2) for slot in memory], dim=2)
    readout = (values @ network.affinity(query, keys)).unflatten(2, frame.key.shape[-2:])
    classifier = classify(memory, network.config.ridge)
    logits: Tensor = network.decoder(readout, frame, cues, score(frame.pixels, classifier.to(frame.pixels.dtype)))
    return logits


def classify(memory: Sequence[Remembered], ridge: float) -> Tensor:
    """The classifier of each pair [N, E], fitted to all memory frames. In float32: half precision cannot be solved."""
    pixels = torch.cat([slot.pixels.flatten(2) for slot in memory], dim=2).float()
    target = torch.cat([slot.target.flatten(1) for slot in memory], dim=1).float()
    weight = torch.cat([slot.weight.flatten(1) for slot in memory], dim=1).float()
    with torch.autocast(pixels.device.type, enabled=False):
        return fit(pixels.expand(len(target), -1, -1), target, weight, ridge)
