"""What STAR remembers of a frame, and how a frame is read from it: the same code in training and in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.adaptation import Sums, score, solve, texture, texture_classifier
from segmentation.engines.star.network import Cues, Frame, Star

SCRIBBLED = 5.0  # weight of a scribbled pixel in the regression; one of a mask has 1

FITTED = 3  # every third pixel is enough to fit texture to


class MemoryFrame(NamedTuple):
    """One memory frame of B clips with N objects in all (B is 1 but in training)."""

    key: Tensor  # [B, C, h, w] at 1/8
    value: Tensor  # [N, D, h, w]
    pixels: Sums  # of the learned embedding
    texture: Sums

    def of(self, rows: Tensor) -> MemoryFrame:
        """The same of some of the objects."""
        pixels, texture = (Sums(sums.gram[rows], sums.moment[rows]) for sums in (self.pixels, self.texture))
        return MemoryFrame(self.key, self.value[rows], pixels, texture)


def labelled(cues: Cues) -> tuple[Tensor, Tensor]:
    """Targets and weights of the regression at 1/4, each [N, h, w], from cues [N, H, W]."""
    mask = F.avg_pool2d(cues.mask, 4)
    positive, negative = F.max_pool2d(cues.positive, 4), F.max_pool2d(cues.negative, 4)
    target = torch.where(positive > 0, 1.0, torch.where(negative > 0, -1.0, 2 * mask - 1))
    base = (2 * mask - 1).abs()
    return target, torch.where((positive > 0) | (negative > 0), SCRIBBLED, base)


def encode_memory(network: Star, frame: Frame, cues: Cues, clip: Tensor) -> MemoryFrame:
    """What later frames read of a frame, from its cues [N, H, W]; `clip` [N] says whose frame an object is in."""
    value = network.memorizer(frame.p8, cues, clip)
    target, weight = labelled(cues)
    target, weight = target.flatten(1), weight.flatten(1)
    pixels = Sums.of(frame.pixels.flatten(2), target, weight, clip)
    with torch.no_grad():  # nothing of it is learned
        every = (..., slice(None, None, FITTED))
        seen = Sums.of(texture(frame.pixel_features).flatten(2)[every], target[every], weight[every], clip)
    return MemoryFrame(frame.key, value, pixels, seen)


def decode(network: Star, frame: Frame, memory: Sequence[MemoryFrame], cues: Cues, clip: Tensor) -> Tensor:
    """Logits [N, H/2, W/2] of the objects of B frames; `clip` [N] ascends and says whose frame an object is in.

    The affinity is computed once for all objects of a frame. `memory` has at least one frame.
    """
    query = frame.key.flatten(2)
    keys = torch.cat([slot.key.flatten(2) for slot in memory], dim=2)
    values = torch.cat([slot.value.flatten(2) for slot in memory], dim=2)
    read = [network.read(query[b], keys[b], values[clip == b]) for b in range(len(query))]
    readout = torch.cat(read).unflatten(2, frame.key.shape[-2:])
    by_pixels = score(frame.pixels, solve([slot.pixels for slot in memory], network.config.ridge), clip)
    with torch.no_grad():
        by_texture = score(texture(frame.pixel_features), texture_classifier([slot.texture for slot in memory]), clip)
    logits: Tensor = network.decoder(readout, frame, cues, torch.cat([by_pixels, by_texture], dim=1), clip)
    return logits
