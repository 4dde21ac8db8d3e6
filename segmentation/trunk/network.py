"""The network EfficientNet-Lite (Tan and Le, ICML 2019; the Lite variants of TensorFlow's TPU models).

The Lite variants have no squeeze-and-excitation and use ReLU6. Their convolutions have TensorFlow's "same" padding,
which is asymmetric for a stride of 2 and an even height or width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-3  # `eps` of the batch norms, as in TensorFlow's models


@dataclass(frozen=True)
class Stage:
    """The sizes of a stage: `repeats` blocks of the same kind, of which only the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    outputs: int


BASE = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM = 32  # channels of the first convolution, which are not scaled in the Lite variants
SCALES = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}  # factors of channels and of repeats


def stages_of(name: str) -> tuple[Stage, ...]:
    """Return the stages of a variant ("lite0", "lite1", "lite2").

    The first and the last stage have the same number of blocks in all Lite variants.
    """
    width, depth = SCALES[name]
    return tuple(
        Stage(
            stage.repeats if index in (0, len(BASE) - 1) else math.ceil(stage.repeats * depth),
            stage.kernel,
            stage.stride,
            stage.expand,
            _scaled(stage.outputs, width),
        )
        for index, stage in enumerate(BASE)
    )


def _scaled(channels: int, width: float) -> int:
    """Return `channels` times `width`, rounded to a multiple of 8 that is at least nine tenths of the product."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class ConvNorm(nn.Module):
    """A convolution with "same" padding, followed by a batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.padding = kernel - 1 if stride == 2 else 0
        around = 0 if stride == 2 else kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, around, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=EPSILON, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        if self.padding:
            height, width = self.padding - 1 + x.shape[-2] % 2, self.padding - 1 + x.shape[-1] % 2
            x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        normalised: Tensor = self.bn(self.conv(x))
        return normalised


class Block(nn.Module):
    """An inverted residual block of MobileNetV2: 1x1 to `stage.expand` times the channels, depthwise, 1x1 to fewer."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inner = inputs * stage.expand
        self.expand = ConvNorm(inputs, inner, 1) if stage.expand > 1 else None
        self.depthwise = ConvNorm(inner, inner, stage.kernel, stride, groups=inner)
        self.project = ConvNorm(inner, stage.outputs, 1)
        self.residual = stride == 1 and inputs == stage.outputs
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        inside = x if self.expand is None else F.relu6(self.expand(x))
        inside = self.project(F.relu6(self.depthwise(inside)))
        return x + inside if self.residual else inside


class EfficientNetLite(nn.Module):
    """The network without its classifier: images [N, 3, H, W] in 0..1 -> feature maps at strides 2, 4, 8, 16 and 32.

    H and W may be any size. The map at stride s has ceil(H / s) x ceil(W / s) cells. `channels` has the numbers of
    channels of the five maps.
    """

    def __init__(self, name: str = "lite0") -> None:
        super().__init__()
        stages = stages_of(name)
        self.name = name
        self.stem = ConvNorm(3, STEM, 3, 2)
        self.blocks = nn.ModuleList()
        inputs = STEM
        for stage in stages:
            for index in range(stage.repeats):
                self.blocks.append(Block(inputs, stage, stage.stride if index == 0 else 1))
                inputs = stage.outputs
        ends = [before.outputs for before, after in pairwise(stages) if after.stride == 2]
        self.channels: tuple[int, ...] = (*ends, stages[-1].outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = F.relu6(self.stem((images * 255 - 127) / 128))
        maps = []
        for block in self.blocks:
            if block.stride == 2:
                maps.append(x)
            x = block(x)
        return (*maps, x)


def empty(name: str) -> EfficientNetLite:
    """Return a network of the variant on the meta device: its parameters have shapes but take no memory."""
    with torch.device("meta"):
        return EfficientNetLite(name)


@cache
def trunk_channels(name: str) -> tuple[int, ...]:
    """Return the numbers of channels of a variant's feature maps at strides 2, 4, 8, 16 and 32.

    Raises KeyError for an unknown variant.
    """
    return empty(name).channels
