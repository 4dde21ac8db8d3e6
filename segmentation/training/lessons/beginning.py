"""What a network starts from: weights that keep signals in scale, or the body of a classifier; and its batch norms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from segmentation.checkpoints import read_checkpoint
from segmentation.networks.blocks import ResBlock
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import Bottleneck

RESIDUAL = 0.2  # of a block's own branch at the start: deep sums stay in scale without norms (De and Smith, 2020)
LOGITS, UNDECIDED = 2, 0.1  # outputs of a last convolution, which begins with small ones: nothing is decided yet


@dataclass(frozen=True)
class NormPlan:
    """How batch norms learn.

    `frozen`: not at all, which is how the papers train, since their bodies know ImageNet. Else they work with the
    statistics of the batch; from `settle` of the run on (0..1; 0 = never) with what they have gathered by then, as at
    test time. A network that sees several kinds of input by turns needs that: each kind has statistics of its own.
    """

    frozen: bool = False
    settle: float = 0.0

    def settled(self, progress: float) -> bool:
        return 0.0 < self.settle <= progress


def begin(network: nn.Module, norms: NormPlan, body: str = "") -> None:
    """Give `network` its first weights.

    Args:
        body: path of a ResNet in torchvision's names, for every encoder; empty: from nothing.

    Raises:
        ValueError: for a body that does not fit.
    """
    _draw(network)
    if body:
        for encoder in (module for module in network.modules() if isinstance(module, CueEncoder)):
            load_body(encoder, Path(body))
    if norms.frozen:
        for norm in _norms(network):
            norm.requires_grad_(False)


def hold_norms(network: nn.Module, norms: NormPlan, progress: float) -> None:
    """To be called whenever `network` was put into training mode; `progress` of the run is 0..1."""
    if norms.frozen or norms.settled(progress):
        for norm in _norms(network):
            norm.eval()


@torch.no_grad()
def load_body(encoder: CueEncoder, path: Path) -> None:
    """Copy a classifier's convolutions and norms; the cues' own convolutions stay as they are.

    Raises:
        ValueError: the file cannot be read, or lacks a tensor, or has one of another shape.
    """
    found = {_stage_name(key): tensor for key, tensor in read_checkpoint(path).tensors.items()}
    for key, own in encoder.state_dict().items():
        if not re.match(r"(conv1|bn1|res\d)\.", key) or key.endswith("num_batches_tracked"):
            continue
        if key not in found or found[key].shape != own.shape:
            has = list(found[key].shape) if key in found else "missing"
            raise ValueError(f"body: {path.name} is another ResNet: {key} should be {list(own.shape)}, is {has}")
        own.copy_(found[key])


def _stage_name(key: str) -> str:
    """torchvision counts layers from 1, the encoders count stages from 2: the stem is the first."""
    return re.sub(r"^layer(\d+)", lambda match: f"res{int(match[1]) + 1}", key)


@torch.no_grad()
def _draw(network: nn.Module) -> None:
    """He's initialisation; blocks begin close to their shortcuts."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                module.bias.zero_()
            if module.weight.shape[0] == LOGITS:
                module.weight.mul_(UNDECIDED)
    for module in network.modules():
        if isinstance(module, Bottleneck):
            module.bn3.weight.fill_(RESIDUAL)
        elif isinstance(module, ResBlock):
            module.conv2.weight.mul_(RESIDUAL)


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
